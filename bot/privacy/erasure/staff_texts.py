"""Search for commands of staff and their answers that name a person by number or address.

Other people's messages are not searched: they are theirs, even if they name the person.
"""

from django.db.models import QuerySet

from bot.command_call import read_call
from bot.models import InboundMessage, OutboundMessage
from bot.privacy.numbers import Names
from bot.privacy.subjects import Subject, subject_of
from users.models import Invite, User
from users.roles import Role

State = InboundMessage.State
STAFF = (Role.OWNER, Role.ADMIN)
KEYS_AT_ONCE = 5_000
# The stage that answers commands, and the stages after it, which a command never reaches.
COMMANDS = "commands"
AFTERWARDS = frozenset({"budget", "completion"})


def chats_of_staff(subject: Subject) -> Subject:
    """Return the addresses of all staff except the subject, as one subject."""
    staff = User.objects.filter(role__in=STAFF)
    if subject.person is not None:
        staff = staff.exclude(pk=subject.person.pk)
    addresses = {pair for one in staff for pair in subject_of(one).addresses}
    return Subject(None, frozenset(addresses - subject.addresses), whoever=True)


def answers_naming(names: Names, staff: Subject, before: int | None = None) -> list[int]:
    """Return the ids of settled answers to commands of staff that name a person.

    staff: from chats_of_staff(). before: only of turns before this one. Documents are excluded: they hold staff's own
    data.
    """
    texts = settled_texts().filter(staff.chats(OutboundMessage), filename="")
    if before is not None:
        texts = texts.filter(turn_key__lt=before)
    rows = texts.values_list("pk", "turn_key", "text")
    found = [(pk, key) for pk, key, text in rows.iterator(KEYS_AT_ONCE) if names.are_in(text)]
    commands = _commands_of({key for _, key in found})
    return [pk for pk, key in found if key in commands]


def commands_naming(names: Names, staff: Subject, before: int | None = None) -> list[int]:
    """Return the ids of dead letters that are commands of staff naming a person. staff, before: as above."""
    dead = InboundMessage.objects.filter(staff.chats(InboundMessage), state=State.DEAD)
    if before is not None:
        dead = dead.filter(pk__lt=before)
    rows = dead.values_list("pk", "payload").iterator(KEYS_AT_ONCE)
    return [pk for pk, payload in rows if _is_command(text := _text(payload)) and names.are_in(text)]


def notes_naming(names: Names) -> dict[int, str]:
    """Return {invite's id: redacted note} of notes that name a person."""
    rows = Invite.objects.exclude(note="").values_list("pk", "note").iterator(KEYS_AT_ONCE)
    return {pk: names.hide(note) for pk, note in rows if names.are_in(note)}


def settled_texts() -> "QuerySet[OutboundMessage]":
    """Return outbound messages with a text whose send has ended."""
    return OutboundMessage.objects.exclude(text="").exclude(status__in=OutboundMessage.UNSETTLED)


def _commands_of(turns: set[int]) -> set[int]:
    """Return the turns that were commands, by the stage that ended them, or by the text of dead letters."""
    found: set[int] = set()
    keys = sorted(turns)
    for start in range(0, len(keys), KEYS_AT_ONCE):
        rows = InboundMessage.objects.filter(pk__in=keys[start : start + KEYS_AT_ONCE])
        for pk, steps, payload in rows.values_list("pk", "steps", "payload"):
            stages = {str(step[0]) for step in steps or () if step}
            if (COMMANDS in stages and not stages & AFTERWARDS) or _is_command(_text(payload)):
                found.add(pk)
    return found


def _text(payload: dict[str, object]) -> str:
    text = payload.get("text", "")
    return text if isinstance(text, str) else ""


def _is_command(text: str) -> bool:
    return read_call(text) is not None

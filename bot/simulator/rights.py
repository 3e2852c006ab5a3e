"""Who may use the simulator, and as whom: staff write in other people's names in it.

A real person's chat is theirs: what they have said is in the model's prompt, and what is written as them is charged to
them. So staff write as themselves and as people whom nobody but staff has written as, and owners as anybody. Commands
are judged by the visitor's rights as well as the person's (bot/pipeline/stages/commands.py).
"""

from collections.abc import Collection, Iterable

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When
from django.http import HttpRequest
from django.utils.translation import gettext as _

from bot.command_call import read_call
from bot.models import Bot, InboundMessage, OutboundMessage
from bot.pipeline.commands import find_command
from bot.simulator.queries import CONSOLE, NOBODY
from config.loopback import is_local_trial
from conversations.models import Conversation
from usage.models import UsageRecord
from users.models import AuditEntry, Identity, User
from users.permissions import Permission, may, may_touch
from users.phone import spellings


class NotTheirs(PermissionError):
    """A visitor may not write as somebody, nor see their chat. The text says so."""


def visitor_of(request: HttpRequest) -> User | None:
    """Return the member of staff who is signed in."""
    return request.user if isinstance(request.user, User) and request.user.is_staff else None


def is_allowed(request: HttpRequest) -> bool:
    """Return whether this visitor may use the simulator: staff, and in development whoever sits at this machine."""
    return visitor_of(request) is not None or (settings.DEBUG and is_local_trial(request, settings.PUBLIC_URL))


def may_be(visitor: User | None, address: str, person: User | None) -> bool:
    """Return whether a visitor may write as a person (None: the one nobody is), and see that chat.

    visitor: None in development, where nobody signs in.
    """
    if visitor is None or person == visitor:
        return True
    # (The address of the one nobody is may have been linked to somebody.)
    person = person or User.objects.for_identity(CONSOLE, address)
    if person is None:
        return address in NOBODY or may(visitor, Permission.SEE_CONVERSATIONS)
    return bool(those_to_be(visitor, [person]))


def those_to_be(visitor: User | None, people: Iterable[User]) -> list[User]:
    """Return as whom of these people a visitor may write, in their order. One query, or none."""
    if visitor is None or may(visitor, Permission.SEE_CONVERSATIONS):
        return list(people)
    found = [person for person in people if may_touch(visitor, person)]
    elsewhere = known_elsewhere([person for person in found if person != visitor])
    return [person for person in found if person.pk not in elsewhere]


def known_elsewhere(people: Collection[User]) -> set[int]:
    """Return the ids of the people who are not made up. One query, or none.

    They have an address, a message, a conversation or a cost outside the simulator, or have signed in or acted as staff
    (and what they wrote here then is theirs, whatever their role is since). A bot that is deleted was outside.
    """
    if not people:
        return set()
    here, others = Bot.objects.filter(channel=CONSOLE).values("slug"), Bot.objects.exclude(channel=CONSOLE).values("pk")
    person = OuterRef("pk")
    traces = [
        Identity.objects.filter(user=person).exclude(channel=CONSOLE),
        Conversation.objects.filter(user=person).exclude(bot__in=here),
        UsageRecord.objects.filter(user=person).exclude(bot__in=here),
        AuditEntry.objects.filter(actor=person),
        LogEntry.objects.filter(user=person),
    ]
    for number in (OuterRef("phone_number"), OuterRef("other_spelling")):
        traces.append(InboundMessage.objects.filter(bot__in=others, address=number))
        traces.append(OutboundMessage.objects.filter(bot__in=others, address=number))
    known = Q(last_login__isnull=False)
    for trace in traces:
        known |= Q(Exists(trace))
    rows = User.objects.alias(other_spelling=_other_spelling(people))
    return set(rows.filter(known, pk__in=[one.pk for one in people]).values_list("pk", flat=True))


def _other_spelling(people: Iterable[User]) -> Case:
    """Return, for a query, the other spelling of each person's number; NULL where there is one only."""
    others = ((one.pk, spelling) for one in people for spelling in spellings(one.phone_number or "")[1:])
    return Case(*(When(pk=pk, then=Value(spelling)) for pk, spelling in others), output_field=CharField())


def check_person(request: HttpRequest, address: str, person: User | None) -> None:
    """Let a visitor pass who may write as a person and see their chat.

    Raises:
        NotTheirs: they may not.
    """
    if may_be(visitor_of(request), address, person):
        return
    if person is not None and person.is_staff:
        raise NotTheirs(_("Only an owner may write as another member of staff, or see their chat here."))
    raise NotTheirs(
        _(
            "This person has chats of their own. Only an owner may write as them, or see their chat here. Write as "
            "yourself, or as somebody whom you have made up."
        )
    )


def may_write(request: HttpRequest, text: str, person: User | None) -> bool:
    """Return whether this visitor may write this as a person (None: the one nobody is).

    A few commands bring what only the person should see, or cannot be undone: in another's name they are for those who
    may do the same in the admin.
    """
    call, visitor = read_call(text), visitor_of(request)
    command = find_command(call.name, person) if call else None
    return command is None or visitor is None or command.may_be_given_for(person, visitor)


def may_make_people_up(request: HttpRequest) -> bool:
    """Return whether this visitor may write as a person whom that makes: who may add people."""
    visitor = visitor_of(request)
    return visitor is None or may(visitor, Permission.MANAGE_PEOPLE)


def may_read_document(request: HttpRequest, address: str) -> bool:
    """Return whether this visitor may read a document that was sent to this address.

    It may be everything that is held about somebody, and is theirs and the owners'. So is that of an address which is
    nobody's any more.
    """
    visitor, person = visitor_of(request), User.objects.for_identity(CONSOLE, address)
    if visitor is None or may(visitor, Permission.EXPORT_PEOPLE):
        return True
    return address in NOBODY if person is None else person == visitor

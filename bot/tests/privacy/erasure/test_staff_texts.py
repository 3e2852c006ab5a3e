"""G37: what goes is decided by whose it is, never by a name: people with any name erase themselves, and nobody else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage

from bot.channels.events import AddressChanged
from bot.channels.registry import CHANNELS
from bot.channels.sending import SendError
from bot.models import InboundMessage, OutboundMessage
from bot.privacy.erasure.erase import erase
from bot.privacy.subjects import subject_of, subject_of_number
from bot.queue import accept, recovery
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BOB, STRANGER, InboundFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, work_until
from bot.tests.system.erasure.staying import all_rows, changed
from users.invite_codes import digest
from users.models import AuditEntry, Invite, User
from users.roles import Role

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

OWNER = "+12025550147"
VERA = "+4915155556666"


# One digit more than Alice's, and one less.
LONGER, SHORTER = f"{ALICE}9", ALICE[:-1]
NAMES = ("text", "changed", "users", "order", "Ann", "e", '"', "{", "%", "_")


class Phone(ScriptedChannel):
    """A channel that people read on their phones, not in the outbox."""

    reads_outbox: ClassVar[bool] = False


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> ScriptedChannel:
    phone = Phone()
    monkeypatch.setitem(CHANNELS, "console", phone)
    return phone


@pytest.fixture
def owner(transactional_db: None) -> User:
    return whitelisted(OWNER, name="Olivia", role=Role.OWNER)


@pytest.fixture
def rows_of_others(owner: User, bot: ActiveBot) -> None:
    """What others have: a dead letter, admin history, sessions, texts that were not sent, tasks, an invite's note."""
    vera = whitelisted(VERA, name="Vera")
    text = "I cannot wait: is my order ready? The users changed the text."
    InboundFactory.create(bot_id=bot.id, address=VERA, state="dead", payload={"text": text, "profile_name": "Vera"})
    for number, status in enumerate(("failed", "uncertain", "sent")):
        OutboundMessage.objects.create(
            bot_id=bot.id, address=VERA, turn_key=-number, part=1, status=status, text=f"Your order: {text}"
        )
    LogEntry.objects.create(
        user=owner,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(vera.pk),
        object_repr="Vera (+49…66)",
        action_flag=CHANGE,
        change_message='[{"changed": {"fields": ["Name"]}}]',
    )
    for person in (owner, vera):
        store = SessionStore()
        store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(person.pk), "users.login.backends.RoleBackend"
        store.create()
    common = {
        "func": "bot.operations.schedules.purge",
        "started": timezone.now(),
        "stopped": timezone.now(),
        "success": False,
    }
    Task.objects.create(id="1", name="text order", result=text, **common)
    OrmQ.objects.create(key="parley", payload=SignedPackage.dumps({"id": "2", "name": "text", "args": ("order",)}))
    Invite.objects.create(digest="a", note=text, created_by=owner, expires_at=timezone.now() + timedelta(days=1))


@pytest.fixture
def open_invite(owner: User) -> Invite:
    until = timezone.now() + timedelta(days=1)
    return Invite.objects.create(digest=digest("OPEN2DAY"), max_uses=len(NAMES), created_by=owner, expires_at=until)


@pytest.mark.usefixtures("rows_of_others")
def test_who_joins_under_any_name_and_forgets_themselves_takes_nothing_of_others(
    ask: Callable[..., str], bot: ActiveBot, channel: ScriptedChannel, open_invite: Invite
) -> None:
    before = all_rows()
    for number, name in enumerate(NAMES):
        address = f"+1202555020{number}"
        accept.accept(bot, [event(f"join-{number}", address=address, text="/join OPEN2DAY", profile_name=name)])
        work_until()
        assert User.objects.get(phone_number=address).name == name
        asked = ask("/forget", sender=address)
        assert "is deleted" in ask(asked.split("minutes: ")[1], sender=address)
        assert not User.objects.filter(phone_number=address).exists()
    invites = {key for key in before if key[0] == Invite._meta.db_table}
    counters = {key for key in before if key[0].endswith(("heartbeat", "counter"))}
    assert changed(before.keys() - invites - counters, before, all_rows()) == {}
    assert Invite.objects.get(digest="a").note.startswith("I cannot wait")


def answered(bot: ActiveBot, text: str, *, steps: tuple[str, ...] = ("commands",), **fields: Any) -> OutboundMessage:
    """Create a turn of the owner's that is over, and its answer."""
    row = InboundFactory.create(
        bot_id=bot.id,
        address=OWNER,
        state="done",
        payload={},
        steps=[["claimed", 1], ["access", 2], *([name, 3] for name in steps), ["stored", 4]],
    )
    given = {"status": "failed", **fields}
    return OutboundMessage.objects.create(bot_id=bot.id, address=OWNER, turn_key=row.pk, part=1, text=text, **given)


def dead(bot: ActiveBot, text: str, address: str = OWNER) -> InboundMessage:
    return InboundFactory.create(bot_id=bot.id, address=address, state="dead", payload={"text": text})


def test_a_real_answer_to_a_command_is_emptied_and_its_row_stays(
    owner: User, bot: ActiveBot, channel: ScriptedChannel
) -> None:
    alice = whitelisted(ALICE, name="Alice")
    for text in ("/users Alice", "tell me about Alice +4915112345678"):
        channel.enqueue(SendError("131026"))
        accept.accept(bot, [event(text, address=OWNER, text=text)])
        work_until()
    listed, told = OutboundMessage.objects.order_by("pk")
    assert ALICE in listed.text and ALICE in told.text
    erase(subject_of(alice), via="command")
    listed.refresh_from_db()
    told.refresh_from_db()
    assert (listed.text, told.text) == ("", "Echo: tell me about Alice +4915112345678")


def test_an_answer_goes_only_if_it_answers_a_command_of_staff_and_names_them_by_number(
    owner: User, bot: ActiveBot
) -> None:
    alice = whitelisted(ALICE, name="Alice")
    gone = [
        answered(bot, f"Alice ({ALICE}) may write to me now."),
        answered(bot, f"I know nobody with the number {ALICE}.", status="uncertain"),
        answered(bot, f"1 person may write to me.\nAlice ({ALICE[1:]}) · User", status="sent"),
    ]
    stay = [
        answered(bot, "Alice may write to me now."),
        answered(bot, f"Mo ({LONGER}) may write to me now."),
        answered(bot, f"Mo ({SHORTER}) may write to me now."),
        answered(bot, f"You wrote: call {ALICE}", steps=("commands", "budget", "completion")),
        answered(bot, f'{{"said": "call {ALICE}"}}', filename="export.json"),
        answered(bot, f"Alice ({ALICE}) may write to me now.", status="queued"),
        OutboundMessage.objects.create(
            bot_id=bot.id, address=BOB, turn_key=-1, part=1, status="failed", text=f"Call {ALICE}."
        ),
    ]
    texts = [one.text for one in stay]
    erase(subject_of(alice), via="command")
    assert [OutboundMessage.objects.get(pk=one.pk).text for one in gone] == ["", "", ""]
    assert [OutboundMessage.objects.get(pk=one.pk).text for one in stay] == texts


@pytest.mark.parametrize(
    "written", [ALICE, ALICE[1:], "+49 (151) 1234-5678", "0049 151/12345678", "49-151-12.34.56.78", "0151 12345678"]
)
def test_a_failed_command_of_staff_is_emptied_in_any_spelling_and_is_not_worked_on_again(
    written: str, owner: User, bot: ActiveBot, settings: Any
) -> None:
    settings.PHONE_DEFAULT_REGION = "DE"
    alice = whitelisted(ALICE, name="Alice")
    failed = dead(bot, f"/allow {written} Alice")
    others = [dead(bot, f"/allow {number} Alice") for number in (LONGER, SHORTER, BOB)]
    theirs = dead(bot, f"please call {written}"), dead(bot, f"/allow {written}", VERA)
    before = {one.pk: one.payload for one in (*others, *theirs)}
    erase(subject_of(alice), via="command")
    failed.refresh_from_db()
    assert (failed.state, failed.payload) == ("dead", {"erased": True})
    assert {one.pk: one.payload for one in InboundMessage.objects.exclude(pk=failed.pk)} == before
    assert recovery.replay([failed.pk]) == 0
    assert recovery.replay([others[0].pk]) == 1


def test_what_names_them_by_a_former_number_goes_as_far_as_it_was_theirs(owner: User, bot: ActiveBot) -> None:
    whitelisted(ALICE, name="Alice")
    before = dead(bot, f"/allow {ALICE} Alice"), answered(bot, f"Alice ({ALICE}) may write to me now.")
    accept.accept(bot, [AddressChanged("change", ((ALICE, VERA),))])
    after = dead(bot, f"/allow {ALICE} Carol"), answered(bot, f"Carol ({ALICE}) may write to me now.")
    erase(subject_of(User.objects.get(phone_number=VERA)), via="command")
    for row in (*before, *after):
        row.refresh_from_db()
    assert before[0].payload == {"erased": True} and before[1].text == ""
    assert after[0].payload["text"] == f"/allow {ALICE} Carol" and ALICE in after[1].text


def test_who_was_never_let_in_is_named_by_number_as_well(owner: User, bot: ActiveBot) -> None:
    failed, answer = dead(bot, f"/deny {STRANGER}"), answered(bot, f"I know nobody with the number {STRANGER}.")
    erase(subject_of_number(STRANGER), via="command")
    failed.refresh_from_db()
    answer.refresh_from_db()
    assert (failed.payload, answer.text) == ({"erased": True}, "")


def test_only_the_number_goes_from_a_note_of_somebody_elses_invite(owner: User) -> None:
    alice = whitelisted(ALICE, name="Alice")
    notes = {
        f"for Alice ({ALICE}), and Bob": "for Alice (…), and Bob",
        "call +49 151 1234-5678 first": "call … first",
        f"for {LONGER} or {SHORTER}": f"for {LONGER} or {SHORTER}",
        "for Alice": "for Alice",
    }
    for number, note in enumerate(notes):
        Invite.objects.create(digest=str(number), note=note, expires_at=timezone.now())
    erase(subject_of(alice), via="command")
    assert list(Invite.objects.order_by("pk").values_list("note", flat=True)) == list(notes.values())


def test_admin_history_with_their_name_about_somebody_else_stays(owner: User) -> None:
    alice, bob = whitelisted(ALICE, name="Alice"), whitelisted(BOB, name="Bob")
    kind = ContentType.objects.get_for_model(User)
    for one in (alice, bob):
        LogEntry.objects.create(
            user=owner, content_type=kind, object_id=str(one.pk), object_repr="Alice", action_flag=CHANGE,
            change_message=f'[{{"changed": {{"name": "Alice", "object": "{ALICE}"}}}}]',
        )  # fmt: skip
    erase(subject_of(alice), via="command")
    assert list(LogEntry.objects.values_list("object_id", flat=True)) == [str(bob.pk)]
    assert AuditEntry.objects.get().details["admin_history"] == 1

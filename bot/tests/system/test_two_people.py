"""Two people stay apart, whatever a provider tells of their numbers and in whatever order: from webhook to prompt."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from itertools import permutations
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.channels.registry import get_channel
from bot.models import AccessRequest, InboundMessage, Lease, OutboundMessage
from bot.privacy.erasure.erase import erase
from bot.privacy.subjects import subject_of
from bot.privacy.summary import summary_of
from bot.queue.snapshot import forget
from bot.tests.queue.test_address_changes import deliver, post, who
from bot.tests.support.factories import ALICE, BOB, WhatsAppBotFactory, whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.fakes import ScriptedModel, nothing_pending, work_until
from conversations.models import Conversation
from users.models import AuditEntry, Identity, User
from users.roles import Role
from users.tests.factories import UserFactory

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db")]

NEW = "+4915199999999"
A, A2, B, B2, C = (f"DE.{number}3491208655302741918" for number in range(1, 6))
NAMES = {"Alice", "Bob", "Carol"}
NOW = timezone.now().replace(microsecond=0)
BEFORE, CHANGE, AFTER = (NOW - timedelta(minutes=minutes) for minutes in (30, 20, 10))


@pytest.fixture(autouse=True)
def shop(turns_db: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[list[tuple[str, str]]]:
    """A bot of WhatsApp whose sends are kept: (address, text)."""
    settings.REDIS_URL = None
    sent: list[tuple[str, str]] = []

    async def send(self: Any, client: Any, account: Any, message: Any) -> str:
        sent.append((message.address, message.text))
        return f"wamid.sent.{message.id}"

    async def show_typing(*_: Any) -> None:
        return None

    for one in (send, show_typing):
        monkeypatch.setattr(type(get_channel("whatsapp")), one.__name__, one)
    forget()
    WhatsAppBotFactory.create(slug="shop")
    yield sent
    forget()


def person(name: str, number: str) -> User:
    since = NOW - timedelta(days=30)
    return User.objects.create_user(number, name=name, is_whitelisted=True, created_at=since)


def said(author: str, number: str, own_id: str = "", at: datetime = AFTER) -> dict[str, Any]:
    """Return a message that says who has written it."""
    ids = {"from_user_id": own_id} if own_id else {}
    time = str(int(at.timestamp()))
    return whatsapp_message(f"<{author}>", number, id=f"wamid.{author}.{number}.{time}", timestamp=time, **ids)


def changed(name: str, at: Any = CHANGE, old: str = "", **system: str) -> dict[str, Any]:
    """Return a system message; old: the number it came from, where it says so."""
    sender = {"from": old.removeprefix("+")} if old else {}
    fields = {key: value.removeprefix("+") for key, value in system.items() if value}
    event = {"id": f"wamid.{name}", "timestamp": str(int(at.timestamp())), "type": "system", **sender}
    return {**event, "system": {"type": "user_changed_number", **fields}}


def run(client: Client, model: ScriptedModel, *messages: dict[str, Any]) -> None:
    """Deliver each by itself, and let a worker answer before the next one comes."""
    for message in messages:
        deliver(client, message)
        if not nothing_pending():
            work_until(model=model)


def assert_apart(model: ScriptedModel) -> None:
    """Nobody's prompt and nobody's conversation holds what somebody else wrote."""
    for request in model.history:
        texts = " ".join(message.content for message in request.messages)
        assert sum(f"<{name}>" in texts for name in NAMES) == 1, texts
    for conversation in Conversation.objects.select_related("user"):
        texts = " ".join(conversation.messages.values_list("content", flat=True))
        others = NAMES - {conversation.user.name}
        assert not any(f"<{name}>" in texts for name in others), (conversation.user, texts)


NUMBER_CHANGES = {
    "from, to": {"old": ALICE, "wa_id": NEW},
    "from, to and ids": {"old": ALICE, "wa_id": NEW, "previous_user_id": A, "user_id": A2},
    "ids and to": {"wa_id": NEW, "previous_user_id": A, "user_id": A2},
    "ids": {"previous_user_id": A, "user_id": A2},
    "the id that stays, and to": {"wa_id": NEW, "user_id": A},
    "from an id": {"old": A, "wa_id": NEW, "user_id": A2},
}


@pytest.mark.parametrize("how", NUMBER_CHANGES)
def test_the_next_owner_of_a_number_is_nobody_whatever_names_the_change(
    client: Client, model: ScriptedModel, shop: list[tuple[str, str]], how: str
) -> None:
    alice = person("Alice", ALICE)
    run(client, model, said("Alice", ALICE, A, BEFORE))
    change = changed("change", **NUMBER_CHANGES[how])

    run(client, model, change, said("Carol", ALICE, C), change, said("Carol", ALICE, C, NOW))

    assert len(model.history) == 1
    assert_apart(model)
    alice.refresh_from_db()
    assert alice.phone_number == (NEW if "to" in how or "wa_id" in NUMBER_CHANGES[how] else None)
    assert who(ALICE) is who(C) is None
    assert AccessRequest.objects.get().address == ALICE
    # Whom the provider says it is goes on as the same person.
    now = NUMBER_CHANGES[how].get("user_id", "")
    run(client, model, said("Alice", NEW if alice.phone_number else "", now, NOW))
    assert [message.content for message in model.history[-1].messages][-3:] == ["<Alice>", "Echo: <Alice>", "<Alice>"]


def test_the_id_that_comes_with_another_number_tells_that_the_number_changed(
    client: Client, model: ScriptedModel
) -> None:
    alice = person("Alice", ALICE)
    run(client, model, said("Alice", ALICE, A, BEFORE))
    update = {"wa_id": NEW[1:], "user_id": {"previous": A, "current": A2}, "timestamp": str(int(CHANGE.timestamp()))}
    body = whatsapp_body(whatsapp_value(user_id_update=[update])).replace(b'"messages"', b'"user_id_update"')
    post(client, body)
    assert (who(NEW), who(A2), who(ALICE), who(A)) == (alice, alice, None, None)
    run(client, model, said("Carol", ALICE, C))
    assert_apart(model)


SWAPS = {
    "with numbers": ({"old": ALICE, "wa_id": BOB}, {"old": BOB, "wa_id": ALICE}, False),
    "with ids": (
        {"wa_id": BOB, "previous_user_id": A, "user_id": A2},
        {"wa_id": ALICE, "previous_user_id": B, "user_id": B2},
        True,
    ),
    "with both": (
        {"old": ALICE, "wa_id": BOB, "previous_user_id": A, "user_id": A2},
        {"old": BOB, "wa_id": ALICE, "previous_user_id": B, "user_id": B2},
        True,
    ),
}


@pytest.mark.parametrize("how", SWAPS)
@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_two_who_swap_numbers_stay_apart_in_any_order(
    client: Client, model: ScriptedModel, how: str, order: tuple[int, ...]
) -> None:
    person("Alice", ALICE)
    person("Bob", BOB)
    one, other, with_ids = SWAPS[how]
    run(client, model, said("Alice", ALICE, A, BEFORE), said("Bob", BOB, B, BEFORE))
    events = [changed("one", **one), changed("other", CHANGE + timedelta(minutes=1), **other)]
    if with_ids:
        # Each writes from the other's number, before or after anybody hears of the change.
        steps = [*events, said("Alice", BOB, A2), said("Bob", ALICE, B2)]
    else:
        # (Who writes from a number before the provider tells that it changed cannot be told from who had it.)
        late = [said("Alice", ALICE, "", BEFORE + timedelta(minutes=1)), events[0]]
        steps = [*events, *late]
    run(client, model, *(steps[step] for step in order))
    run(client, model, said("Alice", BOB, A2 if with_ids else "", NOW), said("Bob", ALICE, B2 if with_ids else "", NOW))

    assert_apart(model)
    alice, bob = User.objects.get(name="Alice"), User.objects.get(name="Bob")
    assert (who(A2) in (alice, None), who(B2) in (bob, None)) == (True, True)
    assert (who(BOB) in (alice, None), who(ALICE) in (bob, None)) == (True, True)


@pytest.mark.parametrize("order", sorted(set(permutations((0, 1, 0, 1)))), ids=str)
def test_a_chain_of_changes_gives_nobody_the_number_of_the_next(
    client: Client, model: ScriptedModel, order: tuple[int, ...]
) -> None:
    """Alice goes on to a second new number; her first new one is Carol's by then. All told by numbers alone."""
    alice = person("Alice", ALICE)
    run(client, model, said("Alice", ALICE, "", BEFORE))
    third = "+4915177777777"
    first, second = (
        changed("first", CHANGE, old=ALICE, wa_id=NEW),
        changed("second", CHANGE + timedelta(minutes=1), old=NEW, wa_id=third),
    )
    run(client, model, *((first, second)[step] for step in order))
    run(client, model, said("Carol", NEW), said("Carol", ALICE), said("Alice", third))
    assert_apart(model)
    assert (who(NEW), who(ALICE), who(third) in (alice, None)) == (None, None, True)


def test_what_is_told_late_takes_nothing_from_who_has_the_number_since(client: Client, model: ScriptedModel) -> None:
    change = changed("change", old=ALICE, wa_id=NEW)
    run(client, model, change)  # of somebody whom nobody knew
    carol = User.objects.create_user(ALICE, name="Carol", is_whitelisted=True)
    run(client, model, change, said("Carol", ALICE, "", timezone.now()))
    assert (who(ALICE), who(NEW)) == (carol, None)
    assert len(model.history) == 1


def test_who_took_their_number_back_keeps_it_when_the_old_change_is_told_again(
    client: Client, model: ScriptedModel
) -> None:
    alice = person("Alice", ALICE)
    there, back = changed("there", old=ALICE, wa_id=NEW), changed("back", AFTER, old=NEW, wa_id=ALICE)
    run(client, model, there, back, there, {**there, "id": "wamid.told-anew"})
    assert (who(ALICE), who(NEW)) == (alice, None)


def test_what_the_former_owner_wrote_and_comes_late_is_not_the_next_ones(
    client: Client, model: ScriptedModel, caplog: Any
) -> None:
    person("Alice", ALICE)
    run(client, model, changed("change", old=ALICE, wa_id=NEW))
    User.objects.create_user(ALICE, name="Carol", is_whitelisted=True)
    caplog.set_level("INFO")
    run(client, model, said("Alice", ALICE, "", BEFORE), said("Carol", ALICE, "", timezone.now()))
    assert_apart(model)
    assert "message_of_former_holder" in caplog.text


def test_two_in_one_burst_from_one_number_are_two_turns(client: Client, model: ScriptedModel) -> None:
    person("Alice", ALICE)
    run(client, model, said("Alice", ALICE, A, BEFORE))
    deliver(client, said("Alice", ALICE, A), said("Carol", ALICE, C, NOW))
    work_until(model=model)
    assert_apart(model)
    assert len(model.history) == 2
    assert set(Identity.objects.values_list("address", flat=True)) == {A}


def test_a_number_of_staff_goes_to_nobody_else_by_a_change(client: Client, model: ScriptedModel) -> None:
    owner = User.objects.create_superuser(BOB, name="Bob", is_whitelisted=True, created_at=NOW - timedelta(days=1))
    person("Alice", ALICE)
    run(client, model, changed("change", old=ALICE, wa_id=BOB), said("Alice", BOB, "", NOW))
    owner.refresh_from_db()
    # Whose it is staff decide: until then it has no rights in chat, and nobody else's conversation either.
    assert who(BOB) is None
    assert model.history == []
    noted = AuditEntry.objects.filter(subject=owner.pk).values_list("action", "via", "details")
    assert list(noted) == [("number", "chat", {"from": "+49…21", "by": "provider"})]


@pytest.fixture
def documents(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The documents that are given to people."""
    given: list[str] = []

    async def upload(self: Any, client: Any, account: Any, message: Any) -> str:
        given.append(message.text)
        return "media"

    monkeypatch.setattr(type(get_channel("whatsapp")), "upload", upload)
    return given


def change_by_hand(person: User, number: str) -> None:
    owner = User.objects.filter(role=Role.OWNER).first() or UserFactory.create(role=Role.OWNER)
    client = Client()
    client.force_login(owner)
    identities = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}
    fields = {"phone_number": number, "name": person.name, "role": person.role, "is_whitelisted": "on"}
    client.post(reverse("admin:users_user_change", args=[person.pk]), {**fields, **identities})
    person.refresh_from_db()
    assert person.phone_number == number


def change_hands(client: Client, model: ScriptedModel, how: str) -> User:
    """Let Alice write and be answered, and then have another number."""
    alice = person("Alice", ALICE)
    run(client, model, said("Alice", ALICE, "", BEFORE))
    if how == "by hand":
        change_by_hand(alice, NEW)
    else:
        run(client, model, changed("change", old=ALICE, wa_id=NEW))
    work_until(model=model)
    return alice


def later(number: str, text: str) -> dict[str, Any]:
    # (The provider's times are whole seconds.)
    at = int(timezone.now().timestamp()) + 2
    return whatsapp_message(text, number, id=f"wamid.{number}.{text}", timestamp=str(at))


HOWS = pytest.mark.parametrize("how", ["by hand", "by the provider"])


@HOWS
@pytest.mark.parametrize("known", [True, False])
def test_the_next_holder_of_a_number_is_given_nothing_of_who_had_it(
    client: Client, model: ScriptedModel, documents: list[str], how: str, known: bool
) -> None:
    change_hands(client, model, how)
    if known:
        User.objects.create_user(ALICE, name="Carol", is_whitelisted=True)
    run(client, model, later(ALICE, "<Carol>"), later(ALICE, "/export"))
    assert "<Alice>" not in "".join(documents)
    assert bool(documents) or not known
    assert ("Echo: <Carol>" in "".join(documents)) == known


@HOWS
def test_the_next_holder_of_a_number_erases_nothing_of_who_had_it(
    client: Client, model: ScriptedModel, how: str
) -> None:
    alice = change_hands(client, model, how)
    carol = User.objects.create_user(ALICE, name="Carol", is_whitelisted=True)
    run(client, model, later(ALICE, "<Carol>"))
    subject = subject_of(carol)
    assert summary_of(subject)["messages in the inbox"] == 1
    erase(subject, via="command")
    texts = list(OutboundMessage.objects.exclude(text="").values_list("text", flat=True))
    assert "Echo: <Alice>" in texts
    assert "Echo: <Carol>" not in texts
    if how == "by the provider":
        erase(subject_of(alice), via="command")
        assert not OutboundMessage.objects.filter(text__contains="<Alice>").exists()


@HOWS
def test_the_operator_erases_all_of_a_number_that_nobody_has(client: Client, model: ScriptedModel, how: str) -> None:
    change_hands(client, model, how)
    call_command("forget", ALICE, "--yes", stdout=StringIO())
    assert not OutboundMessage.objects.filter(address=ALICE).exists()


def test_what_waits_when_a_number_is_changed_by_hand_is_not_the_next_holders(
    client: Client, model: ScriptedModel, shop: list[tuple[str, str]]
) -> None:
    alice, carol = person("Alice", ALICE), person("Carol", BOB)
    deliver(client, said("Alice", ALICE, "", NOW))
    change_by_hand(alice, NEW)
    change_by_hand(carol, ALICE)
    work_until(model=model)
    assert_apart(model)
    assert (NEW, "Echo: <Alice>") in shop
    assert not any(address == ALICE and "<Alice>" in text for address, text in shop)


def test_what_cannot_be_moved_when_a_number_is_changed_by_hand_is_answered_to_nobody(
    client: Client, model: ScriptedModel, shop: list[tuple[str, str]]
) -> None:
    alice, carol = person("Alice", ALICE), person("Carol", BOB)
    deliver(client, said("Alice", ALICE, "", NOW))
    with transaction.atomic():
        chats = [(one.bot_id, one.address) for one in InboundMessage.objects.all()]
        now = timezone.now()
        Lease.objects.take(chats, "another", now, now + timedelta(hours=1))
    change_by_hand(alice, NEW)
    change_by_hand(carol, ALICE)
    Lease.objects.update(expires_at=timezone.now(), worker="")
    work_until(model=model)
    assert model.history == []
    assert not any("<Alice>" in text for _, text in shop)


def test_who_gets_their_number_back_by_hand_has_what_they_had(
    client: Client, model: ScriptedModel, documents: list[str]
) -> None:
    alice = change_hands(client, model, "by hand")
    change_by_hand(alice, ALICE)
    run(client, model, later(ALICE, "/export"))
    assert "Echo: <Alice>" in "".join(documents)


def test_who_gets_back_a_number_that_another_had_meanwhile_has_nothing_of_theirs(
    client: Client, model: ScriptedModel, documents: list[str]
) -> None:
    alice = change_hands(client, model, "by hand")
    carol = person("Carol", BOB)
    change_by_hand(carol, ALICE)
    run(client, model, later(ALICE, "<Carol>"))
    change_by_hand(carol, BOB)
    change_by_hand(alice, ALICE)
    erase(subject_of(alice), via="command")
    assert OutboundMessage.objects.filter(text="Echo: <Carol>").exists()


def test_a_change_that_is_told_again_takes_nothing_from_the_next_holder(client: Client, model: ScriptedModel) -> None:
    change_hands(client, model, "by the provider")
    carol = User.objects.create_user(ALICE, name="Carol", is_whitelisted=True)
    run(client, model, later(ALICE, "<Carol>"))
    again = changed("change", old=ALICE, wa_id=NEW)
    run(client, model, again, {**again, "id": "wamid.told-anew"})
    assert summary_of(subject_of(carol))["messages in the inbox"] == 1

"""G23: what is held about a person goes, whatever is under way for them, and what comes late does not bring it back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.utils import timezone

from bot.ai.base import Completion
from bot.channels.base import AddressChanged, SendError, StatusEvent
from bot.models import AccessRequest, InboundMessage, Lease, LeaseLost, ModelChoice, OutboundMessage
from bot.pipeline.commands.start import _redeem
from bot.pipeline.result import ModelCall
from bot.pipeline.stages.access import register_stranger
from bot.privacy.erasure import steps
from bot.privacy.erasure.erase import erase
from bot.privacy.erasure.farewell import Farewell
from bot.privacy.erasure.found_rows import find_holdings
from bot.privacy.subjects import subject_of, subject_of_number
from bot.queue import accept, snapshot
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BOB, STRANGER, BotFactory, InboundFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, in_thread, work_until
from bot.worker import replies
from bot.worker.claims import claim
from bot.worker.settlement import Outcome, Settlement, settle
from conversations.memory import Said
from conversations.models import Conversation, Message
from usage.models import DailySpend, Reservation, UsageRecord
from usage.tests.factories import UsageRecordFactory
from users.errors import LastOwner
from users.invite_codes import digest
from users.models import AuditEntry, Identity, Invite, Tombstone, User
from users.roles import Role

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

ID = "DE.13491208655302741918"


def forget(person: User) -> Any:
    return erase(subject_of(person), via="command")


def rows_about_chats() -> list[int]:
    return [model.objects.count() for model in (InboundMessage, OutboundMessage, Lease, AccessRequest)]


def ended() -> bool:
    return not InboundMessage.objects.pending().exists() and not Lease.objects.exclude(worker="").exists()


@pytest.fixture
def bob(transactional_db: None) -> User:
    return whitelisted(BOB, name="Bob")


# --- everything goes, and only that ---


@pytest.mark.usefixtures("alice")
def test_what_a_conversation_left_behind_goes_with_the_person(
    bot: ActiveBot, bob: User, channel: ScriptedChannel
) -> None:
    for address in (ALICE, BOB):
        accept.accept(bot, [event(f"m-{address}", address=address)])
    work_until()
    bobs = [
        list(rows.values())
        for rows in (
            InboundMessage.objects.filter(address=BOB),
            OutboundMessage.objects.filter(address=BOB),
            Lease.objects.filter(address=BOB),
            Message.objects.filter(conversation__user=bob),
            UsageRecord.objects.filter(user=bob),
        )
    ]
    assert all(bobs)
    erased = forget(User.objects.get(phone_number=ALICE))
    assert not User.objects.filter(phone_number=ALICE).exists()
    assert rows_about_chats() == [1, 1, 1, 0]
    assert list(Conversation.objects.values_list("user", flat=True)) == [bob.pk]
    assert Message.objects.count() == 2
    assert bobs == [
        list(rows.values())
        for rows in (
            InboundMessage.objects.all(),
            OutboundMessage.objects.all(),
            Lease.objects.all(),
            Message.objects.all(),
            UsageRecord.objects.filter(user=bob),
        )
    ]
    assert erased.counts["inbox"] == erased.counts["outbox"] == 1


def test_what_it_cost_stays_and_is_nobodys(alice: User, bot: ActiveBot) -> None:
    for number in range(3):
        UsageRecordFactory.create(user=alice, cost_micros=10 + number)
    day = timezone.localdate()
    for owner in ({"user": alice}, {"bot": "shop"}, {}):
        DailySpend.objects.create(day=day, spent_micros=33, **owner)
    before = UsageRecord.objects.get_global_daily_total(day)
    forget(alice)
    assert UsageRecord.objects.get_global_daily_total(day) == before
    assert set(UsageRecord.objects.values_list("user", flat=True)) == {None}
    spends: list[Any] = list(DailySpend.objects.order_by("bot").values_list("user", "bot", "spent_micros"))
    assert spends == [(None, "", 33), (None, "shop", 33)]


def test_many_records_are_detached_in_batches(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.models.records.DETACHED_AT_ONCE", 2)
    for _ in range(5):
        UsageRecordFactory.create(user=alice)
    assert UsageRecord.objects.detach(alice) == 5
    assert set(UsageRecord.objects.values_list("user", flat=True)) == {None}


@pytest.mark.parametrize("spelling", ["+5511987654321", "+551187654321"])
def test_every_spelling_of_a_number_goes(transactional_db: None, spelling: str, bot: ActiveBot) -> None:
    whitelisted("+5511987654321")
    InboundFactory.create(bot_id=bot.id, address=spelling, state="done")
    erase(subject_of_number("+55 11 8765-4321"), via="command")
    assert (User.objects.count(), InboundMessage.objects.count()) == (0, 0)


def test_a_second_identity_goes_with_the_first(alice: User, bot: ActiveBot) -> None:
    User.objects.link_identity(alice, "console", ID)
    for address in (ALICE, ID):
        InboundFactory.create(bot_id=bot.id, address=address, state="done")
    forget(alice)
    assert (InboundMessage.objects.count(), Identity.objects.count()) == (0, 0)
    snapshot.forget()  # (or five seconds later)
    accept.accept(bot, [event("late", address=ID, sent_at=timezone.now() - timedelta(minutes=1))])
    assert not InboundMessage.objects.exists()


def test_a_message_that_names_them_besides_goes_before_the_name_is_linked(alice: User, bot: ActiveBot) -> None:
    InboundFactory.create(bot_id=bot.id, address=ID, payload={"text": "x", "other_address": ALICE})
    forget(alice)
    assert not InboundMessage.objects.exists()


def test_the_same_address_on_another_channel_is_somebody_elses(alice: User, bot: ActiveBot) -> None:
    User.objects.link_identity(alice, "console", ID)
    elsewhere = BotFactory.create(channel="whatsapp", slug="elsewhere")
    InboundFactory.create(bot=elsewhere, address=ID, state="done")
    forget(alice)
    assert InboundMessage.objects.count() == 1


def test_what_is_said_of_them_elsewhere_goes(alice: User, bob: User, bot: ActiveBot) -> None:
    User.objects.update_role(bob, Role.ADMIN)
    ModelChoice.objects.create(bot_id=bot.id, user=alice, model="gpt-6-sol")
    invite = Invite.objects.create(digest="a", person=alice, expires_at=timezone.now())
    noted = Invite.objects.create(digest="b", note=f"for alice ({ALICE[1:]})", expires_at=timezone.now())
    kept = Invite.objects.create(digest="c", note="for Bob", expires_at=timezone.now())
    AccessRequest.objects.create(bot_id=bot.id, address=ALICE)
    asked = InboundFactory.create(bot_id=bot.id, address=BOB, state="done", steps=[["commands", 1], ["stored", 2]])
    named = f"Alice ({ALICE}) may write to me now."
    answer = OutboundMessage.objects.create(
        bot_id=bot.id, address=BOB, turn_key=asked.pk, part=1, status="sent", text=named
    )
    unsent = OutboundMessage.objects.create(
        bot_id=bot.id, address=BOB, turn_key=asked.pk, part=2, status="queued", text=named
    )
    failed = InboundFactory.create(bot_id=bot.id, address=BOB, state="dead", payload={"text": f"/allow {ALICE} Alice"})
    dead = InboundFactory.create(bot_id=bot.id, address=BOB, state="dead", payload={"text": "/allow +12025550100 Al"})
    forget(alice)
    assert not ModelChoice.objects.exists()
    assert not AccessRequest.objects.exists()
    assert list(Invite.objects.order_by("pk").values_list("pk", "note")) == [
        (noted.pk, "for alice (…)"),
        (kept.pk, "for Bob"),
    ]
    assert invite.pk not in Invite.objects.values_list("pk", flat=True)
    answer.refresh_from_db()
    unsent.refresh_from_db()
    assert (answer.text, unsent.text) == ("", named)
    assert [row.payload for row in InboundMessage.objects.filter(state="dead").order_by("pk")] == [
        {"erased": True},
        dead.payload,
    ]
    assert list(InboundMessage.objects.order_by("pk")) == [asked, failed, dead]


def test_admin_history_about_them_and_by_them_goes(alice: User, bob: User) -> None:
    identity = User.objects.link_identity(alice, "console", ID)

    def log(who: User, of: Any, repr: str, change: str = "") -> LogEntry:
        kind = ContentType.objects.get_for_model(of)
        return LogEntry.objects.create(
            user=who, content_type=kind, object_id=of.pk, object_repr=repr, action_flag=CHANGE, change_message=change
        )

    kept = log(bob, bob, "Bob")
    log(bob, alice, "an older name of theirs")
    log(bob, identity, "console identity")
    log(alice, bob, "Bob")
    of_bob = log(bob, bob, "Bob", f"Deleted {ALICE}")
    forget(alice)
    assert list(LogEntry.objects.order_by("pk")) == [kept, of_bob]


def test_they_are_signed_out_of_the_admin(alice: User, bob: User) -> None:
    for person in (alice, bob):
        store = SessionStore()
        store[SESSION_KEY] = str(person.pk)
        store.create()
    forget(alice)
    assert [row.get_decoded()[SESSION_KEY] for row in Session.objects.all()] == [str(bob.pk)]


def test_who_only_wrote_and_was_never_let_in_is_erased_by_number(transactional_db: None, bot: ActiveBot) -> None:
    accept.accept(bot, [event("m1", address=STRANGER)])
    work_until()
    assert AccessRequest.objects.count() == 1
    erase(subject_of_number("+1 202 555 0123"), via="command")
    assert rows_about_chats() == [0, 0, 0, 0]
    assert Tombstone.objects.count() == 1


def test_the_last_owner_stays_with_everything(alice: User, bot: ActiveBot) -> None:
    User.objects.update_role(alice, Role.OWNER)
    InboundFactory.create(bot_id=bot.id, state="done")
    UsageRecordFactory.create(user=alice)
    with pytest.raises(LastOwner):
        forget(alice)
    assert (InboundMessage.objects.count(), Tombstone.objects.count()) == (1, 0)
    assert UsageRecord.objects.filter(user=alice).count() == 1


def test_the_log_says_who_did_it_to_whom_and_how_much_went(
    alice: User, bob: User, bot: ActiveBot, caplog: pytest.LogCaptureFixture
) -> None:
    key = alice.pk
    InboundFactory.create(bot_id=bot.id, state="done")
    erase(subject_of(alice), via="admin", actor=bob)
    (line,) = (record.__dict__ for record in caplog.records if record.getMessage() == "person_erased")
    assert (line["person"], line["staff"], line["via"]) == (key, bob.pk, "admin")
    assert (line["inbox"], line["themselves"]) == (1, 1)


def test_the_audit_log_says_that_it_was_done_and_of_nobody(alice: User, bob: User, bot: ActiveBot) -> None:
    key = alice.pk
    InboundFactory.create(bot_id=bot.id, state="done")
    erase(subject_of(alice), via="admin", actor=bob)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor, entry.via) == ("erased", key, bob, "admin")
    assert entry.details["inbox"] == 1
    assert not {ALICE, ALICE[1:], "Alice"} & set(str(entry.__dict__).split("'"))


def test_who_erases_themselves_in_the_admin_is_in_no_audit_row(alice: User) -> None:
    erase(subject_of(alice), via="admin", actor=alice)
    assert AuditEntry.objects.get().actor is None


def test_twice_is_once(alice: User, bot: ActiveBot) -> None:
    subject = subject_of(alice)
    erase(subject, via="command")
    again = erase(subject_of_number(ALICE), via="command")
    assert again.total == 0


# --- former addresses ---


def test_what_was_written_from_a_former_number_goes_and_the_new_holders_does_not(alice: User, bot: ActiveBot) -> None:
    new = "+4915199999999"
    InboundFactory.create(bot_id=bot.id, address=ALICE, state="done", external_id="before")
    OutboundMessage.objects.create(
        bot_id=bot.id, address=ALICE, turn_key=InboundMessage.objects.get().pk, part=1, status="sent"
    )
    Lease.objects.create(bot_id=bot.id, address=ALICE, expires_at=timezone.now())
    accept.accept(bot, [AddressChanged("change", ((ALICE, new),))])
    holder = whitelisted(ALICE, name="Carol")
    InboundFactory.create(bot_id=bot.id, address=ALICE, state="done", external_id="after")
    person = User.objects.get(phone_number=new)
    forget(person)
    assert list(InboundMessage.objects.values_list("external_id", flat=True)) == ["after"]
    assert not OutboundMessage.objects.exists()
    assert not Lease.objects.exists()
    assert User.objects.filter(pk=holder.pk).exists()
    snapshot.forget()  # (or five seconds later)
    long_ago = timezone.now() - timedelta(hours=1)
    accept.accept(bot, [event("before", sent_at=long_ago), event("later", sent_at=timezone.now())])
    assert list(InboundMessage.objects.order_by("pk").values_list("external_id", flat=True)) == ["after", "later"]


def test_a_number_before_the_former_one_is_known_as_well(alice: User, bot: ActiveBot) -> None:
    second, third = "+4915199999999", "+4915188888888"
    for number, (old, new) in enumerate(((ALICE, second), (second, third))):
        InboundFactory.create(bot_id=bot.id, address=old, state="done")
        accept.accept(bot, [AddressChanged(f"change-{number}", ((old, new),))])
    InboundFactory.create(bot_id=bot.id, address=ALICE, state="done", external_id="of somebody else")
    forget(User.objects.get(phone_number=third))
    assert list(InboundMessage.objects.values_list("external_id", flat=True)) == ["of somebody else"]


# --- what is late ---


def test_a_late_delivery_is_not_taken_in(alice: User, bot: ActiveBot) -> None:
    written = timezone.now() - timedelta(seconds=1)
    accept.accept(bot, [event("m1", sent_at=written)])
    forget(alice)
    snapshot.forget()  # (or five seconds later)
    assert accept.accept(bot, [event("m1", sent_at=written), event("m2", sent_at=written)]).messages == 0
    assert rows_about_chats() == [0, 0, 0, 0]


def test_a_process_that_does_not_know_yet_takes_it_in_and_no_worker_answers_it(
    alice: User, bot: ActiveBot, channel: ScriptedChannel
) -> None:
    written = timezone.now() - timedelta(seconds=1)
    accept.accept(bot, [])
    snapshot.tombstones()
    forget(alice)
    assert accept.accept(bot, [event("m1", sent_at=written)]).messages == 1
    work_until()
    assert rows_about_chats() == [0, 0, 0, 0]
    assert channel.sent == []


@pytest.mark.parametrize("is_known", [True, False], ids=["webhook", "worker"])
def test_a_late_message_is_known_by_its_second_name_as_well(
    is_known: bool, alice: User, bot: ActiveBot, channel: ScriptedChannel
) -> None:
    snapshot.tombstones()
    forget(alice)
    if is_known:
        snapshot.forget()
    written = timezone.now() - timedelta(seconds=1)
    accepted = accept.accept(bot, [event("m1", address=ID, other_address=ALICE, sent_at=written)])
    assert accepted.messages == (0 if is_known else 1)
    work_until()
    assert rows_about_chats() == [0, 0, 0, 0]
    assert channel.sent == []


def test_who_writes_anew_is_somebody_new(alice: User, bot: ActiveBot, channel: ScriptedChannel) -> None:
    forget(alice)
    snapshot.forget()
    accept.accept(bot, [event("m1", sent_at=timezone.now() + timedelta(seconds=1))])
    work_until()
    assert AccessRequest.objects.get().address == ALICE
    person = whitelisted(ALICE)
    accept.accept(bot, [event("m2", sent_at=timezone.now() + timedelta(seconds=2))])
    work_until()
    assert channel.texts[-1] == "Echo: Hello"
    assert Conversation.objects.get().user == person


def test_an_old_message_of_who_came_back_is_not_answered(alice: User, bot: ActiveBot, channel: ScriptedChannel) -> None:
    written = timezone.now() - timedelta(seconds=1)
    forget(alice)
    whitelisted(ALICE)
    InboundFactory.create(bot_id=bot.id, sent_at=written, payload={"text": "old"})
    InboundFactory.create(bot_id=bot.id, sent_at=timezone.now() + timedelta(seconds=1), payload={"text": "new"})
    snapshot.forget()
    work_until()
    assert channel.texts == ["Echo: new"]
    assert InboundMessage.objects.count() == 1


def test_a_providers_clock_that_is_ahead_counts_but_not_for_ever(alice: User, bot: ActiveBot) -> None:
    InboundFactory.create(bot_id=bot.id, state="done", sent_at=timezone.now() + timedelta(seconds=90))
    InboundFactory.create(bot_id=bot.id, address=BOB, state="done", sent_at=timezone.now() + timedelta(days=9))
    forget(alice)
    at = Tombstone.objects.get().erased_at
    assert timedelta(seconds=60) < at - timezone.now() < timedelta(seconds=91)
    erase(subject_of_number(BOB), via="command")
    latest = Tombstone.objects.latest("erased_at").erased_at
    assert timedelta(minutes=50) < latest - timezone.now() < timedelta(minutes=61)


def test_one_who_is_erased_again_has_the_later_time(alice: User) -> None:
    forget(alice)
    first = Tombstone.objects.get().erased_at
    erase(subject_of_number(ALICE), via="command")
    assert Tombstone.objects.get().erased_at > first


# --- what is under way ---


def test_what_comes_in_while_their_rows_are_looked_for_goes_as_well(
    alice: User, bot: ActiveBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def found_before_it_came(subject: Any) -> Any:
        holdings = find_holdings(subject)
        row = InboundFactory.create(bot_id=bot.id)
        OutboundMessage.objects.create(bot_id=bot.id, address=ALICE, turn_key=row.pk, part=1, text="soon")
        return holdings

    monkeypatch.setattr("bot.privacy.erasure.erase.find_holdings", found_before_it_came)
    forget(alice)
    assert rows_about_chats() == [0, 0, 0, 0]


def test_a_running_turn_is_cut_off_and_what_it_cost_is_recorded(
    alice: User, bot: ActiveBot, model: ScriptedModel
) -> None:
    accept.accept(bot, [event("m1")])
    (turn,) = claim("one", 10)
    Reservation.objects.create(
        turn_key=turn.key, fence=turn.lease.fence, user=alice, bot="shop", day=timezone.localdate(), amount_micros=5
    )
    forget(alice)
    turn.result.calls.append(ModelCall("gpt-6-luna", Completion("Hi", "gpt-6-luna", 10, 2)))
    turn.result.remember, turn.result.reply = [Said("user", "Hello"), Said("assistant", "Hi")], "Hi"
    assert [type(result) for result in replies.store_replies("one", [turn])] == [LeaseLost]
    assert rows_about_chats() == [0, 0, 0, 0]
    records: list[Any] = list(UsageRecord.objects.values_list("user", "output_tokens"))
    assert records == [(None, 2)]
    assert not Message.objects.exists()
    assert not Reservation.objects.exists()


def test_a_turn_that_waits_for_the_model_sends_nothing(alice: User, bot: ActiveBot, channel: ScriptedChannel) -> None:
    async def erased_meanwhile(request: Any) -> str:
        await in_thread(forget, alice)
        return "too late"

    scripted = ScriptedModel()
    scripted.enqueue(erased_meanwhile)
    accept.accept(bot, [event("m1", sent_at=timezone.now())])
    work_until(ended, model=scripted)
    assert channel.sent == []
    assert rows_about_chats() == [0, 0, 0, 0]


@pytest.mark.parametrize("end", [None, SendError("timeout", uncertain=True), SendError("131000")])
def test_a_send_that_is_on_its_way_leaves_nothing_however_it_ends(
    end: Exception | None, alice: User, bot: ActiveBot, channel: ScriptedChannel
) -> None:
    async def erased_meanwhile(message: Any) -> None:
        await in_thread(forget, alice)
        if end:
            raise end

    channel.enqueue(erased_meanwhile)
    accept.accept(bot, [event("m1")])
    work_until(ended)
    assert len(channel.sent) == 1
    assert rows_about_chats() == [0, 0, 0, 0]


def test_an_uncertain_message_goes_and_its_late_status_changes_nothing(
    alice: User, bot: ActiveBot, channel: ScriptedChannel
) -> None:
    channel.enqueue(SendError("timeout", uncertain=True))
    accept.accept(bot, [event("m1")])
    work_until()
    (uncertain,) = OutboundMessage.objects.values_list("pk", flat=True)
    forget(alice)
    accepted = accept.accept(bot, [StatusEvent("scripted-1", "delivered", outbound_id=uncertain)])
    assert accepted.statuses == 0
    assert rows_about_chats() == [0, 0, 0, 0]


def test_who_changes_their_number_meanwhile_is_looked_for_again(
    alice: User, bot: ActiveBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = "+4915199999999"
    looked: list[Any] = []

    def found_before_it_changed(subject: Any) -> Any:
        looked.append(holdings := find_holdings(subject))
        if len(looked) == 1:
            accept.accept(bot, [AddressChanged("change", ((ALICE, new),))])
            InboundFactory.create(bot_id=bot.id, address=new)
        return holdings

    monkeypatch.setattr("bot.privacy.erasure.erase.find_holdings", found_before_it_changed)
    InboundFactory.create(bot_id=bot.id, address=ALICE, state="done")
    forget(alice)
    assert len(looked) == 2
    assert rows_about_chats() == [0, 0, 0, 0]
    assert not User.objects.exists()
    assert set(Tombstone.objects.erased([("console", ALICE), ("console", new)])) == {
        ("console", ALICE),
        ("console", new),
    }


def test_a_turn_that_has_lost_its_chat_erases_nothing(alice: User, bot: ActiveBot) -> None:
    accept.accept(bot, [event("m1")])
    (turn,) = claim("one", 10)
    Lease.objects.update(fence=turn.lease.fence + 1)  # another worker has it now, and will ask again
    with pytest.raises(LeaseLost):
        erase(subject_of(alice), via="chat", farewell=Farewell(turn.lease, turn.message_ids, "Goodbye"))
    assert (User.objects.count(), InboundMessage.objects.count(), Tombstone.objects.count()) == (1, 1, 0)
    assert not AuditEntry.objects.exists()


def test_a_settlement_after_the_erasure_is_refused(alice: User, bot: ActiveBot) -> None:
    accept.accept(bot, [event("m1")])
    (turn,) = claim("one", 10)
    forget(alice)
    (result,) = settle("one", [Settlement(turn, Outcome.RETRY, retry_in=timedelta(0))])
    assert isinstance(result, LeaseLost)
    assert rows_about_chats() == [0, 0, 0, 0]


def test_a_stranger_who_is_erased_during_their_turn_is_not_noted(transactional_db: None, bot: ActiveBot) -> None:
    accept.accept(bot, [event("m1", address=STRANGER)])
    (turn,) = claim("one", 10)
    erase(subject_of_number(STRANGER), via="command")
    with pytest.raises(LeaseLost):
        register_stranger(turn)
    assert not AccessRequest.objects.exists()


def test_nobody_comes_in_by_an_invite_during_their_own_erasure(transactional_db: None, bot: ActiveBot) -> None:
    Invite.objects.create(digest=digest("ABCD"), expires_at=timezone.now() + timedelta(days=1))
    accept.accept(bot, [event("m1", address=STRANGER, text="/join ABCD")])
    (turn,) = claim("one", 10)
    erase(subject_of_number(STRANGER), via="command")
    with pytest.raises(LeaseLost):
        _redeem(turn, "ABCD")
    assert not User.objects.exists()


def test_a_transaction_in_its_way_makes_it_begin_again(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Callable[..., Any]] = []

    def deadlock(erasure: steps.Erasure) -> int:
        tried.append(deadlock)
        if len(tried) < 3:
            raise OperationalError("deadlock detected")
        return steps.themselves(erasure)

    monkeypatch.setattr("bot.privacy.erasure.erase.STEPS", (*steps.STEPS[:-1], deadlock))
    forget(alice)
    assert len(tried) == 3
    assert not User.objects.exists()
    assert AuditEntry.objects.count() == 1

"""G23: what is held about a person goes, whatever is under way for them, and what comes late does not bring it back."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from bot.ai.base import Completion
from bot.channels.events import AddressChanged, StatusEvent
from bot.channels.sending import SendError
from bot.models import AccessRequest, InboundMessage, Lease, LeaseLost, ModelChoice, OutboundMessage
from bot.pipeline.commands.start import _redeem
from bot.pipeline.result import ModelCall
from bot.pipeline.stages.access import register_stranger
from bot.privacy.erasure import steps
from bot.privacy.erasure.erase import erase
from bot.privacy.erasure.farewell import Farewell
from bot.privacy.erasure.found_rows import find_holdings
from bot.privacy.subjects import subject_of, subject_of_number
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.privacy.erasure.erasing import forget, rows_about_chats
from bot.tests.support.factories import ALICE, BOB, STRANGER, InboundFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, in_thread, work_until
from bot.worker import replies
from bot.worker.claims import claim
from bot.worker.settlement import Outcome, Settlement, settle
from conversations.memory import Said
from conversations.models import Message
from usage.models import Reservation, UsageRecord
from usage.tests.factories import UsageRecordFactory
from users.errors import LastOwner
from users.invite_codes import digest
from users.models import AuditEntry, Invite, Tombstone, User
from users.roles import Role

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def ended() -> bool:
    return not InboundMessage.objects.pending().exists() and not Lease.objects.exclude(worker="").exists()


@pytest.fixture
def bob(transactional_db: None) -> User:
    return whitelisted(BOB, name="Bob")


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


def test_who_erases_themselves_in_the_admin_is_in_no_audit_row(alice: User) -> None:
    erase(subject_of(alice), via="admin", actor=alice)
    assert AuditEntry.objects.get().actor is None


def test_twice_is_once(alice: User, bot: ActiveBot) -> None:
    subject = subject_of(alice)
    erase(subject, via="command")
    again = erase(subject_of_number(ALICE), via="command")
    assert again.total == 0


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

"""What a turn has paid for is recorded and counted once, whoever stores it and however often."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bot.ai.base import Completion
from bot.models import InboundMessage, Lease, LeaseLost, OutboundMessage
from bot.pipeline.result import ModelCall
from bot.pipeline.stages.budget import reserve_for
from bot.pipeline.turn import Turn
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BOB, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from bot.tests.support.spending import (
    ask,
    assert_sums_agree,
    estimated,
    failing_spends,
    recorded,
    set_budget,
    stage_result,
    sums,
    terse_bot,
)
from bot.worker import replies, settlement
from bot.worker.claims import claim
from bot.worker.settlement import Outcome, Settlement
from conversations.memory import Said
from usage import prices
from usage.days import today
from usage.models import DailySpend, Reservation, UsageRecord
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("priced"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.promise("totals", "a late worker's call, a lost commit, midnight"),
]


# What the scripted model bills: 100 tokens in and 20 out, at a micro-dollar each.
BILLED = 120


@pytest.fixture
def bot(channel: ScriptedChannel) -> ActiveBot:
    return terse_bot()


@pytest.fixture
def alice(priced: None) -> User:
    return whitelisted(ALICE)


def reserved_turn(bot: ActiveBot, worker: str) -> Turn:
    """Return the waiting turn, claimed by worker and with its cost reserved."""
    (turn,) = claim(worker, 10)
    reserve_now(turn)
    return turn


def reserve_now(turn: Turn) -> None:
    (day,) = reserve_for([(turn, turn.request)])
    assert day == today()
    turn.reserved_on = today()


def expire() -> None:
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def answered(turn: Turn) -> Turn:
    turn.result.calls.append(ModelCall("gpt-6-luna", Completion("Hi", "gpt-6-luna", 100, 20)))
    turn.end("Hi")
    return turn


def test_a_crash_with_the_model_asked_leaves_no_reservation_and_room_for_the_same_turn(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    set_budget(alice, estimated())
    accept.accept(bot, [event()])
    reserved_turn(bot, "killed")
    assert sums(alice) == (0, estimated())
    expire()

    work_until(model=model)

    assert channel.texts == ["Echo: Hello"]
    assert sums(alice) == sums(None) == (BILLED, 0)
    assert not Reservation.objects.exists()


def test_a_turn_that_is_given_up_without_a_reply_gives_back_what_it_had_reserved(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    set_budget(alice, 1_000)
    accept.accept(bot, [event()])
    reserved_turn(bot, "killed")
    expire()
    InboundMessage.objects.update(attempts=20)

    work_until(model=model)

    assert InboundMessage.objects.get().state == "dead"
    assert sums(alice) == sums(None) == (0, 0)
    assert not Reservation.objects.exists()


def test_turns_that_are_buried_together_lock_their_reservations_before_any_days_row(alice: User) -> None:
    set_budget(alice, 1_000)
    for number in range(3):
        accept.accept(terse_bot(), [event(f"m{number}")])
    turns = claim("one", 10)
    for turn in turns:
        reserve_now(turn)

    with CaptureQueriesContext(connection) as queries:
        settlement.settle("one", [Settlement(turn, Outcome.DEAD, error_code="INTERNAL_ERROR") for turn in turns])

    statements = [query["sql"] for query in queries]
    days = [place for place, statement in enumerate(statements) if "usage_dailyspend" in statement]
    others = [place for place, statement in enumerate(statements) if "bot_" in statement or "usage_reserv" in statement]
    assert max(others) < min(days)
    assert sums(alice) == sums(None) == (0, 0)


def test_who_lost_the_lease_counts_what_it_spent_and_leaves_the_reservation_to_the_next(
    alice: User, bot: ActiveBot
) -> None:
    set_budget(alice, 1_000)
    accept.accept(bot, [event()])
    first = answered(reserved_turn(bot, "one"))
    expire()
    second = answered(reserved_turn(bot, "two"))

    (lost,) = replies.store_replies("one", [first])
    assert isinstance(lost, LeaseLost)
    assert sums(alice) == (BILLED, estimated())

    replies.store_replies("two", [second])
    assert sums(alice) == sums(None) == (2 * BILLED, 0)
    assert recorded() == 2 * BILLED


def test_who_comes_late_with_a_call_of_a_turn_that_is_stored_already_has_it_recorded_and_counted(
    alice: User, bot: ActiveBot
) -> None:
    set_budget(alice, 1_000)
    accept.accept(bot, [event()])
    first = answered(reserved_turn(bot, "one"))
    expire()
    replies.store_replies("two", [answered(reserved_turn(bot, "two"))])
    assert sums(alice) == (BILLED, 0)

    for _ in range(2):
        (lost,) = replies.store_replies("one", [first])
        assert isinstance(lost, LeaseLost)

    assert sums(alice) == sums(bot) == sums(None) == (2 * BILLED, 0)
    assert recorded() == 2 * BILLED
    assert not Reservation.objects.exists()
    assert OutboundMessage.objects.count() == 1
    assert_sums_agree()


@pytest.mark.parametrize("budgeted", [True, False])
@pytest.mark.parametrize("reply", ["Hi", " \u2028 ", None], ids=["a reply", "nothing but white space", "no reply"])
def test_storing_the_same_turn_again_records_and_counts_its_calls_once(
    alice: User, bot: ActiveBot, reply: str | None, budgeted: bool
) -> None:
    set_budget(alice, 1_000 if budgeted else None)
    accept.accept(bot, [event()])
    (turn,) = claim("one", 10)
    if budgeted:
        reserve_now(turn)
    answered(turn).end(reply)
    turn.result.calls.append(ModelCall("gpt-6-luna", Completion("", "gpt-6-luna", 7, 3)))
    for _ in range(3):
        replies.store_replies("one", [turn])
    assert sums(alice) == sums(bot) == sums(None) == (BILLED + 10, 0)
    assert UsageRecord.objects.count() == 2
    assert_sums_agree()


def test_who_lost_the_lease_and_stores_again_because_the_commits_answer_was_lost_is_counted_once(
    alice: User, bot: ActiveBot
) -> None:
    accept.accept(bot, [event()])
    (turn,) = claim("one", 10)
    answered(turn)
    expire()
    claim("two", 10)
    for _ in range(2):
        (lost,) = replies.store_replies("one", [turn])
        assert isinstance(lost, LeaseLost)
    assert sums(alice) == sums(None) == (BILLED, 0)
    assert UsageRecord.objects.get().turn_key == turn.key


def test_a_batch_of_new_and_repeated_turns_counts_only_the_new_ones(alice: User, bot: ActiveBot) -> None:
    other = terse_bot()
    for number, chat in enumerate((bot, other)):
        accept.accept(chat, [event(f"m{number}")])
    old, new = (answered(turn) for turn in claim("one", 10))
    replies.store_replies("one", [old])
    replies.store_replies("one", [old, new])
    assert (sums(bot), sums(other), sums(alice)) == ((BILLED, 0), (BILLED, 0), (2 * BILLED, 0))
    assert_sums_agree()


def test_a_call_is_recorded_with_what_is_counted_for_it_and_on_which_day(alice: User, bot: ActiveBot) -> None:
    accept.accept(bot, [event()])
    (turn,) = claim("one", 10)
    turn.result.calls.append(ModelCall("nobody-knows", Completion("", "nobody-knows", 100, 20)))
    replies.store_replies("one", [answered(turn)])

    unpriced, priced_ = UsageRecord.objects.order_by("id")
    assert (unpriced.cost_micros, unpriced.budget_micros) == (
        None,
        120 * django_settings.UNPRICED_MICROS_PER_MILLION // 1_000_000,
    )
    assert (priced_.cost_micros, priced_.budget_micros) == (BILLED, BILLED)
    assert unpriced.budget_day == priced_.budget_day == today()
    assert len({unpriced.call_id, priced_.call_id}) == 2
    assert_sums_agree()


@pytest.mark.parametrize("budgeted", [True, False])
def test_over_midnight_a_call_and_its_sums_are_of_the_same_day(
    alice: User, bot: ActiveBot, budgeted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_budget(alice, 1_000 if budgeted else None)
    accept.accept(bot, [event()])
    (turn,) = claim("one", 10)
    first = today()
    if budgeted:
        reserve_now(turn)
    answered(turn)
    midnight = datetime.combine(first + timedelta(days=1), datetime.min.time(), tzinfo=UTC)
    # Without a reservation it counts on the day on which it is stored. Whoever asks for that day twice gets two.
    days = iter([first, *[first + timedelta(days=1)] * 9])
    monkeypatch.setattr("bot.worker.billing.today", lambda: next(days))
    with time_machine.travel(midnight + timedelta(seconds=5), tick=False):
        Lease.objects.update(expires_at=midnight + timedelta(minutes=1))
        for _ in range(2):
            replies.store_replies("one", [turn])

    assert UsageRecord.objects.get().budget_day == first
    assert sums(alice, first) == sums(bot, first) == sums(None, first) == (BILLED, 0)
    assert set(DailySpend.objects.exclude(day=first).values_list("spent_micros", "reserved_micros")) <= {(0, 0)}
    assert_sums_agree()


@pytest.mark.parametrize("budgeted", [True, False])
def test_a_person_who_is_deleted_while_the_model_works_has_their_call_counted_for_bot_and_everybody(
    alice: User, bot: ActiveBot, budgeted: bool
) -> None:
    whitelisted(BOB)
    set_budget(alice, 1_000 if budgeted else None)
    accept.accept(bot, [event(), event("wamid.2", address=BOB)])
    turns = claim("one", 10)
    for turn in turns:
        if budgeted:
            reserve_now(turn)
        answered(turn).result.remember = [Said("user", "Hello"), Said("assistant", "Hi")]
    alice.delete()

    replies.store_replies("one", turns)

    assert sums(bot) == sums(None) == (2 * BILLED, 0)
    assert sorted(record.user_id is None for record in UsageRecord.objects.all()) == [False, True]
    assert not Reservation.objects.exists()
    assert_sums_agree()


def test_a_deleted_persons_records_still_add_up_to_the_sums_of_bot_and_everybody(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    set_budget(alice, 10_000)
    ask(bot, model, "one", "two")
    alice.delete()
    assert sums(bot) == sums(None) == (2 * BILLED, 0)
    assert DailySpend.objects.count() == 2
    assert_sums_agree()


def test_who_lost_the_lease_before_reserving_does_not_ask(alice: User, bot: ActiveBot) -> None:
    set_budget(alice, 1_000)
    accept.accept(bot, [event()])
    (late,) = claim("one", 10)
    expire()
    reserved_turn(bot, "two")

    assert isinstance(stage_result(late), LeaseLost)
    assert Reservation.objects.get().fence == 2


def test_spending_is_part_of_the_transaction_that_stores_the_reply(
    alice: User, bot: ActiveBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_budget(alice, 1_000)
    accept.accept(bot, [event()])
    turn = answered(reserved_turn(bot, "one"))
    failing_spends(monkeypatch, DatabaseError("broken"), times=1)

    with pytest.raises(DatabaseError):
        replies.store_replies("one", [turn])
    assert not UsageRecord.objects.exists()
    assert sums(alice) == (0, estimated())

    replies.store_replies("one", [turn])
    assert sums(alice) == (recorded(), 0) == (BILLED, 0)


@pytest.mark.parametrize("budgeted", [True, False])
def test_a_batch_costs_three_statements_more_with_budgets_and_one_without(
    alice: User, bot: ActiveBot, budgeted: bool, django_assert_num_queries: Callable[..., Any]
) -> None:
    set_budget(alice, 10_000 if budgeted else None)
    for number in range(5):
        accept.accept(terse_bot(), [event(f"m{number}")])
    turns = claim("one", 10)
    for turn in turns:
        if budgeted:
            reserve_now(turn)
        answered(turn)
    prices.forget_prices()
    # Begin, leases, prices, records, parts, messages; the end; and what budgets add.
    with django_assert_num_queries(7 + (3 if budgeted else 1)):
        replies.store_replies("one", turns)
    assert sums(alice) == (5 * BILLED, 0)

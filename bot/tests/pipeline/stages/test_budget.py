"""Turns within budgets: who is over theirs costs no model call, whatever is asked at once and whatever fails."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings
from django.db import DatabaseError, OperationalError, connection
from django.db.models import Sum
from django.db.models.functions import Coalesce
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bot.ai.base import Completion, CompletionRequest, EmptyCompletion
from bot.ai.tokens import most_prompt_tokens
from bot.errors import AppError, ErrorCode
from bot.models import Bot, InboundMessage, Lease, LeaseLost, OutboundMessage
from bot.pipeline.result import ModelCall
from bot.pipeline.stages.budget import budget, reserve_for
from bot.pipeline.turn import Turn
from bot.queue import accept
from bot.queue.snapshot import ActiveBot, bot_by_id, forget
from bot.tests.support.factories import ALICE, BOB, BotFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, nothing_pending, work_until
from bot.worker import replies, settlement
from bot.worker.claims import claim
from bot.worker.settlement import Outcome, Settlement
from bot.worker.worker import Worker
from config.db import batching
from config.db.batching import Database
from conversations.memory import Said
from usage import prices
from usage.days import today
from usage.models import DailySpend, ModelPrice, Reservation, UsageRecord
from usage.models.budgets import DailySpendQuerySet
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db(transaction=True),
    pytest.mark.promise("budgets", "50 parallel turns of one person with a budget for ten"),
    pytest.mark.promise("totals", "a late worker's call, a lost commit, midnight"),
]

OVER = "You've reached today's limit. Please try again tomorrow."
ALL_OVER = "I can't answer any more today. Please try again tomorrow."
# What the scripted model bills: 100 tokens in and 20 out, at a micro-dollar each.
BILLED = 120


class FullPriceModel(ScriptedModel):
    """Bills exactly what was reserved: every token counted, and the longest answer."""

    async def complete(self, request: CompletionRequest) -> Completion:
        said = await super().complete(request)
        return Completion(said.text, said.model, most_prompt_tokens(request.messages), request.max_tokens)


@pytest.fixture(autouse=True)
def priced(settings: Any, transactional_db: None) -> Iterator[None]:
    """A token costs a micro-dollar, an answer has at most 100."""
    settings.LLM_PROVIDER = "openai"
    settings.RATE_LIMIT_PER_USER = 10_000
    settings.MAX_REPLY_TOKENS = 100
    prices.forget_prices()
    ModelPrice.objects.create(
        model="gpt-6-luna",
        valid_from=today(),
        input_micros_per_million=1_000_000,
        output_micros_per_million=1_000_000,
    )
    yield
    prices.forget_prices()


@pytest.fixture
def bot(channel: ScriptedChannel) -> ActiveBot:
    return terse_bot()


@pytest.fixture
def alice(priced: None) -> User:
    return whitelisted(ALICE)


def terse_bot() -> ActiveBot:
    """Return a bot whose prompt is the person's message and nothing more."""
    return BotFactory.active(system_prompt="")


def estimated(text: str = "Hello") -> int:
    """Return what a first message of the text reserves: 100 + 10 + a token for each byte, and 100 for the answer."""
    return 110 + len(text.encode()) + 100


def wait_in_vain(settings: Any) -> None:
    """Let turns wait only half a second for room that others have reserved: here those wait for them."""
    settings.MODEL_DEADLINE_SECONDS = 1


def set_budget(user: User, micros: int | None) -> None:
    User.objects.filter(pk=user.pk).update(daily_budget_micros=micros)


def sums(owner: User | ActiveBot | None, day: date | None = None) -> tuple[int, int]:
    """Return (spent, reserved) of a person's, a bot's, or everybody's day."""
    user, slug = (owner, "") if isinstance(owner, User) else (None, owner.slug if owner else "")
    row = DailySpend.objects.filter(user=user, bot=slug, day=day or today()).first()
    return (row.spent_micros, row.reserved_micros) if row else (0, 0)


def assert_sums_agree() -> None:
    """Compare each row of days with the usage records that were counted in it."""
    counted = {
        (row.user_id, row.bot, row.day): UsageRecord.objects.filter(
            **({"user": row.user_id} if row.user_id else {}),
            **({"bot": row.bot} if row.bot else {}),
            budget_day=row.day,
        ).aggregate(sum=Coalesce(Sum("budget_micros"), 0))["sum"]
        for row in DailySpend.objects.all()
    }
    spent = {(row.user_id, row.bot, row.day): row.spent_micros for row in DailySpend.objects.all()}
    assert spent == counted


def recorded(**who: Any) -> int:
    return UsageRecord.objects.filter(**who).between(today(), today()).totals().cost_micros


def ask(bot: ActiveBot, model: ScriptedModel, *texts: str, address: str = ALICE) -> None:
    for text in texts:
        accept.accept(bot, [event(f"m{InboundMessage.objects.count()}", text=text, address=address)])
        work_until(model=model)


def test_of_fifty_parallel_turns_of_one_person_ten_are_answered_that_the_budget_pays_for(
    alice: User, channel: ScriptedChannel, settings: Any
) -> None:
    wait_in_vain(settings)
    cap = 10 * estimated()
    set_budget(alice, cap)
    chats = [terse_bot() for _ in range(50)]
    for number, chat in enumerate(chats):
        accept.accept(chat, [event(f"m{number}")])
    model = FullPriceModel()
    highest: list[int] = []

    async def when_all_have_asked(request: CompletionRequest) -> str:
        while len(model.history) + len(channel.sent) < 50:
            await asyncio.sleep(0.01)
        return "Hi"

    def done() -> bool:
        spent, reserved = sums(alice)
        highest.append(spent + reserved)
        return nothing_pending()

    model.answer("Hello", when_all_have_asked)
    work_until(done, worker=Worker(50, model_factory=lambda: model), seconds=60)

    assert len(model.history) == 10
    assert (channel.texts.count("Hi"), channel.texts.count(OVER)) == (10, 40)
    assert max(highest) <= cap
    assert sums(alice) == sums(None) == (cap, 0)
    assert recorded() == cap
    assert sorted(set(InboundMessage.objects.values_list("state", "error_code"))) == [
        ("done", ""),
        ("done", "BUDGET_EXCEEDED"),
    ]


def test_parallel_turns_of_different_people_share_everybodys_budget(channel: ScriptedChannel, settings: Any) -> None:
    wait_in_vain(settings)
    settings.DAILY_BUDGET_MICROS = 5 * estimated()
    chat = terse_bot()
    for number in range(20):
        address = f"+49151200000{number:02}"
        whitelisted(address)
        accept.accept(chat, [event(f"m{number}", address=address)])
    model = FullPriceModel()

    async def when_all_have_asked(request: CompletionRequest) -> str:
        while len(model.history) + len(channel.sent) < 20:
            await asyncio.sleep(0.01)
        return "Hi"

    model.answer("Hello", when_all_have_asked)
    work_until(worker=Worker(20, model_factory=lambda: model), seconds=60)

    assert len(model.history) == 5
    assert (channel.texts.count("Hi"), channel.texts.count(ALL_OVER)) == (5, 15)
    assert sums(None) == (5 * estimated(), 0)
    assert set(DailySpend.objects.values_list("reserved_micros", flat=True)) == {0}


def test_a_turn_without_room_waits_for_what_others_have_reserved_and_the_model_has_that_much_less_time(
    alice: User, channel: ScriptedChannel, settings: Any
) -> None:
    settings.MODEL_DEADLINE_SECONDS = 20
    set_budget(alice, BILLED + estimated())
    for number in range(2):
        accept.accept(terse_bot(), [event(f"m{number}")])
    model = ScriptedModel()

    async def slowly(request: CompletionRequest) -> str:
        await asyncio.sleep(0.5)
        return "Hi"

    model.answer("Hello", slowly)
    work_until(model=model)

    assert channel.texts == ["Hi", "Hi"]
    assert sums(alice) == (2 * BILLED, 0)
    first, second = (request.deadline_seconds for request in model.history)
    assert first == 20
    assert 18 < second < 19.6


def test_a_turn_waits_no_longer_than_half_the_models_deadline(
    alice: User, channel: ScriptedChannel, settings: Any
) -> None:
    settings.MODEL_DEADLINE_SECONDS = 2
    set_budget(alice, BILLED + estimated())
    for number in range(2):
        accept.accept(terse_bot(), [event(f"m{number}")])
    model = ScriptedModel()

    async def until_the_other_was_told(request: CompletionRequest) -> str:
        began = time.monotonic()
        while not channel.sent:
            await asyncio.sleep(0.01)
        assert 0.2 < time.monotonic() - began < 2
        return "Hi"

    model.answer("Hello", until_the_other_was_told)
    work_until(model=model)

    assert channel.texts == [OVER, "Hi"]
    assert sums(alice) == (BILLED, 0)


def test_nobody_waits_when_what_was_spent_leaves_no_room(alice: User, channel: ScriptedChannel, settings: Any) -> None:
    settings.MODEL_DEADLINE_SECONDS = 600
    set_budget(alice, estimated() + BILLED - 1)
    ask(terse_bot(), ScriptedModel(), "Hello", "Hello")
    assert channel.texts == ["Echo: Hello", OVER]


def test_the_days_spending_is_what_its_usage_records_cost(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    bob = whitelisted(BOB)
    set_budget(alice, 10_000)
    ask(bot, model, "one", "two", "three")
    ask(bot, model, "four", address=BOB)

    ask(terse_bot(), model, "five", address=BOB)

    assert sums(alice) == (recorded(user=alice), 0) == (3 * BILLED, 0)
    assert sums(bob) == (recorded(user=bob), 0) == (2 * BILLED, 0)
    assert sums(bot) == (recorded(bot=bot.slug), 0) == (4 * BILLED, 0)
    assert sums(None) == (recorded(), 0)
    assert_sums_agree()


def test_without_budgets_nothing_is_reserved_and_a_cap_set_at_noon_knows_the_morning(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, settings: Any
) -> None:
    async def looked_up(request: CompletionRequest) -> str:
        return str(await asyncio.to_thread(Reservation.objects.count))

    model.answer("reserved?", looked_up)
    ask(bot, model, "reserved?")
    assert channel.texts == ["0"]
    assert sums(alice) == sums(bot) == sums(None) == (BILLED, 0)

    settings.DAILY_BUDGET_MICROS = BILLED
    ask(bot, model, "Hello")
    assert channel.texts[1:] == [ALL_OVER]
    assert len(model.history) == 1


def test_a_budget_raised_at_noon_counts_from_the_next_message_on(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    set_budget(alice, estimated())
    ask(bot, model, "Hello", "Hello")
    assert channel.texts == ["Echo: Hello", OVER]

    set_budget(alice, 10_000)
    ask(bot, model, "Hello")
    assert channel.texts[2:] == ["Echo: Hello"]


def test_everybodys_default_holds_for_who_has_no_budget_of_their_own(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, settings: Any
) -> None:
    settings.USER_DAILY_BUDGET_MICROS = estimated() - 1
    ask(bot, model, "Hello")
    set_budget(alice, estimated())
    ask(bot, model, "Hello")
    assert channel.texts == [OVER, "Echo: Hello"]


def set_bots_budget(bot: ActiveBot, **micros: int | None) -> ActiveBot:
    """Return the bot as workers see it with budgets of its own."""
    Bot.objects.filter(pk=bot.id).update(**micros)
    forget()
    found = bot_by_id(bot.id)
    assert found is not None
    return found


def test_a_bots_budget_is_everybodys_with_it_and_other_bots_go_on(
    alice: User,
    bot: ActiveBot,
    channel: ScriptedChannel,
    model: ScriptedModel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "bot.pipeline.runner")
    whitelisted(BOB)
    other = terse_bot()
    bot = set_bots_budget(bot, daily_budget_micros=BILLED + estimated() - 1)
    ask(bot, model, "Hello")
    ask(bot, model, "Hello", address=BOB)
    ask(other, model, "Hello", address=BOB)

    assert channel.texts == ["Echo: Hello", ALL_OVER, "Echo: Hello"]
    assert [str(message.error_code) for message in InboundMessage.objects.order_by("id")] == [
        "",
        "BOT_BUDGET_EXCEEDED",
        "",
    ]
    (failure,) = [record for record in caplog.records if record.message == "turn_failed"]
    assert (failure.levelname, vars(failure)["code"]) == ("INFO", "BOT_BUDGET_EXCEEDED")
    assert (sums(bot), sums(other), sums(None)) == ((BILLED, 0), (BILLED, 0), (2 * BILLED, 0))

    set_bots_budget(bot, daily_budget_micros=BILLED + estimated())
    ask(bot, model, "Hello", address=BOB)
    assert channel.texts[3:] == ["Echo: Hello"]


def test_a_bots_budget_of_each_person_holds_for_who_has_none_of_their_own(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, settings: Any
) -> None:
    settings.USER_DAILY_BUDGET_MICROS = 10_000
    bob = whitelisted(BOB)
    set_budget(bob, 1_000_000)
    bot = set_bots_budget(bot, user_daily_budget_micros=estimated())
    ask(bot, model, "Hello", "Hello", "/usage")
    assert channel.texts[:2] == ["Echo: Hello", OVER]
    assert channel.texts[2].splitlines()[-1] == "Left for today: $0.000095 of $0.000215"

    ask(bot, model, "Hello", "Hello", "/usage", address=BOB)
    assert channel.texts[3:5] == ["Echo: Hello"] * 2
    assert channel.texts[5].splitlines()[-1] == "Left for today: $0.99976 of $1.00"

    ask(terse_bot(), model, "Hello", "/usage")
    assert channel.texts[6] == "Echo: Hello"
    assert channel.texts[7].splitlines()[-1] == "Left for today: $0.00976 of $0.01"


def test_a_budget_of_zero_costs_no_model_call_and_is_no_error(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bot.pipeline.runner")
    set_budget(alice, 0)
    ask(bot, model, "secret words")

    assert channel.texts == [OVER]
    assert not model.history
    assert sums(alice) == sums(None) == (0, 0)
    (failure,) = [record for record in caplog.records if record.message == "turn_failed"]
    assert (failure.levelname, vars(failure)["code"]) == ("INFO", "BUDGET_EXCEEDED")
    assert "secret words" not in caplog.text


@pytest.mark.parametrize(("assumed", "reply"), [(1_000_000, OVER), (500_000, "Echo: Hello"), (0, "Echo: Hello")])
def test_a_model_without_a_price_is_taken_to_cost_what_is_configured(
    alice: User,
    bot: ActiveBot,
    channel: ScriptedChannel,
    model: ScriptedModel,
    settings: Any,
    assumed: int,
    reply: str,
) -> None:
    ModelPrice.objects.all().delete()
    prices.forget_prices()
    settings.OPENAI_GPT_MODEL = "house-blend"
    settings.OPENAI_BASE_URL = "http://127.0.0.1:1/v1"
    settings.UNPRICED_MICROS_PER_MILLION = assumed
    set_budget(alice, estimated() - 1)
    # What it says it is has no price either.
    model.answer("Hello", EmptyCompletion(Completion("", "house-blend", 100, 20), "", "empty", retryable=False))
    ask(bot, model, "Hello")

    asked = len(model.history)
    assert asked == (reply != OVER)
    assert sums(alice) == sums(None) == (asked * BILLED * assumed // 1_000_000, 0)
    assert not UsageRecord.objects.exclude(cost_micros=None).exists()


def test_commands_work_over_the_budget_and_usage_says_what_is_left(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    set_budget(alice, estimated())
    ask(bot, model, "Hello", "Hello", "/help", "/usage")
    assert channel.texts[1] == OVER
    assert "/usage" in channel.texts[2]
    assert channel.texts[3].splitlines()[-1] == "Left for today: $0.000095 of $0.000215"

    set_budget(alice, 1_000_000)
    ask(bot, model, "/usage")
    assert channel.texts[-1].splitlines()[-1] == "Left for today: $0.99988 of $1.00"
    set_budget(alice, None)
    ask(bot, model, "/usage")
    assert "Left" not in channel.texts[-1]
    assert len(model.history) == 1


@pytest.mark.parametrize(
    ("failure", "cost"),
    [
        (AppError(ErrorCode.OPENAI_API_ERROR, "status 500"), 0),
        (EmptyCompletion(Completion("", "gpt-6-luna", 50, 20), "", "empty_length", retryable=False), 70),
    ],
    ids=["refused", "empty"],
)
def test_a_call_without_an_answer_costs_what_the_provider_bills(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, failure: AppError, cost: int
) -> None:
    set_budget(alice, 1_000)
    model.enqueue(failure)
    ask(bot, model, "Hello")

    assert channel.texts == ["I'm having trouble connecting to my AI service. Please try again in a moment."]
    assert sums(alice) == sums(None) == (cost, 0)
    assert not Reservation.objects.exists()


def test_what_cannot_be_read_reserves_nothing(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    set_budget(alice, 0)
    accept.accept(bot, [event(kind="image", text="")])
    work_until(model=model)
    assert channel.texts == ["I can read text only so far. Please write to me instead."]


def failing_spends(monkeypatch: pytest.MonkeyPatch, error: Exception, times: int) -> list[Exception]:
    """Let the statement on the days' rows fail so many times; return the failures as they come."""
    failures: list[Exception] = []
    apply = DailySpendQuerySet.apply

    def failing(self: DailySpendQuerySet, changes: Any) -> Any:
        if changes.rows() and len(failures) < times:
            failures.append(error)
            raise error
        return apply(self, changes)

    monkeypatch.setattr(DailySpendQuerySet, "apply", failing)
    monkeypatch.setattr("bot.worker.answering.backoff", lambda attempts: timedelta())
    monkeypatch.setattr(batching, "PATIENCE_SECONDS", 0.0)
    return failures


@pytest.mark.parametrize("error", [OperationalError("away"), DatabaseError("broken")], ids=["away", "broken"])
def test_when_the_check_itself_fails_the_model_is_not_asked_and_the_turn_is_tried_again(
    alice: User,
    bot: ActiveBot,
    channel: ScriptedChannel,
    model: ScriptedModel,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    set_budget(alice, 1_000)
    failures = failing_spends(monkeypatch, error, times=3)
    asked_after: list[int] = []

    async def note(request: CompletionRequest) -> str:
        asked_after.append(len(failures))
        return "Hi"

    model.enqueue(note)
    ask(bot, model, "Hello")

    assert asked_after == [3]
    assert channel.texts == ["Hi"]
    assert sums(alice) == (BILLED, 0)


def test_a_check_that_never_succeeds_never_lets_the_model_be_asked(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_budget(alice, 1_000)
    failing_spends(monkeypatch, DatabaseError("broken"), times=1_000)
    ask(bot, model, "Hello")

    assert not model.history
    assert channel.texts == ["Something went wrong on my side. Please try again in a moment."]


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


def test_a_turn_that_is_cut_off_while_it_reserves_gives_back_what_it_gets_afterwards(
    alice: User, bot: ActiveBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_budget(alice, 1_000)
    accept.accept(bot, [event()])
    (turn,) = claim("one", 10)
    cut_off = threading.Event()
    apply = DailySpendQuerySet.apply

    def slowly(self: DailySpendQuerySet, changes: Any) -> Any:
        assert cut_off.wait(30)
        return apply(self, changes)

    monkeypatch.setattr(DailySpendQuerySet, "apply", slowly)
    assert isinstance(stage_result(turn, seconds=0.1, then=cut_off.set), TimeoutError)
    assert sums(alice) == (0, estimated())
    turn.end("Something went wrong")
    replies.store_replies("one", [turn])

    assert sums(alice) == sums(None) == (0, 0)
    assert not Reservation.objects.exists()


def stage_result(turn: Turn, seconds: float = 30, then: Callable[[], None] = lambda: None) -> Any:
    """Return what the stage raised for a turn, or None; then() is called before the database is closed."""

    class OnlyDatabase:
        def __init__(self) -> None:
            self.database = Database()

    async def run() -> Any:
        services: Any = OnlyDatabase()
        try:
            async with asyncio.timeout(seconds):
                return await budget(turn, services)
        except Exception as error:
            return error
        finally:
            then()
            await services.database.close()

    return asyncio.run(run())


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

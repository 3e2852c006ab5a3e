"""Turns within budgets: who is over theirs costs no model call, whatever is asked at once and whatever fails."""

import asyncio
import threading
import time
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError

from bot.ai.base import Completion, CompletionRequest, EmptyCompletion
from bot.ai.tokens import most_prompt_tokens
from bot.errors import AppError, ErrorCode
from bot.models import Bot, InboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot, bot_by_id, forget
from bot.tests.support.factories import ALICE, BOB, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, nothing_pending, work_until
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
from bot.worker import replies
from bot.worker.claims import claim
from bot.worker.worker import Worker
from usage import prices
from usage.models import DailySpend, ModelPrice, Reservation, UsageRecord
from usage.models.budgets import DailySpendQuerySet
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("priced"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.promise("budgets", "50 parallel turns of one person with a budget for ten"),
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


@pytest.fixture
def bot(channel: ScriptedChannel) -> ActiveBot:
    return terse_bot()


@pytest.fixture
def alice(priced: None) -> User:
    return whitelisted(ALICE)


def wait_in_vain(settings: Any) -> None:
    """Let turns wait only half a second for room that others have reserved: here those wait for them."""
    settings.MODEL_DEADLINE_SECONDS = 1


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

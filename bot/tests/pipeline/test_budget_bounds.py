"""Budgets bound: sixty people at once, in scripts whose tokens are hard to guess, never cost more than the cap."""

import asyncio
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ai.base import ChatMessage, Completion, CompletionRequest
from bot.ai.tokens import most_prompt_tokens, most_tokens
from bot.models import InboundMessage
from bot.pipeline.stages.budget import most_micros
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import BotFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from bot.worker.worker import Worker
from usage import budgets, prices
from usage.days import today
from usage.models import DailySpend, ModelPrice, Reservation, UsageRecord

pytestmark = [
    pytest.mark.promise(
        "bounds", "tokens of 23 kinds of text as o200k and SmolLM2 count them, made by `benchmarks/count_tokens.py`"
    ),
    pytest.mark.database,
]

# Made by benchmarks/count_tokens.py: texts, and how many tokens real tokenizers make of them.
DATA = Path(__file__).parents[1] / "support" / "data"
SAMPLES: dict[str, Any] = json.loads((DATA / "tokens.json").read_text(encoding="utf-8"))
TOKENIZERS = ("o200k", "smollm2")
# What stands around the message of a prompt in SmolLM2's template, with the system prompt that it adds by itself: 31.
TEMPLATE_TOKENS = 31
PEOPLE = 60
CAP = 500_000
ALL_OVER = "I can't answer any more today. Please try again tomorrow."
SCRIPTS = ("English", "hex", "digits", "code", "Chinese", "Amharic", "zalgo")
USUAL = ("English", "code", "Chinese")


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.parametrize("name", SAMPLES)
def test_no_text_has_more_tokens_than_are_reserved_for_it(name: str, tokenizer: str) -> None:
    sample = SAMPLES[name]
    assert sample[tokenizer] <= most_tokens(sample["text"])
    prompt = [ChatMessage("user", sample["text"])]
    assert sample[tokenizer] + TEMPLATE_TOKENS <= most_prompt_tokens(prompt)


@given(st.text(), st.text())
def test_what_is_reserved_is_never_less_than_a_token_a_byte_and_grows_with_the_text(one: str, other: str) -> None:
    for text in (one, other, one + other):
        assert most_tokens(text) >= len(text.encode("utf-8", "surrogatepass"))
    assert most_tokens(one + other) >= max(most_tokens(one), most_tokens(other))


@given(st.lists(st.sampled_from(list(SAMPLES.values())), min_size=1, max_size=5))
def test_a_prompt_of_many_messages_is_bounded_as_its_messages_are(samples: list[dict[str, Any]]) -> None:
    prompt = [ChatMessage("user", sample["text"]) for sample in samples]
    for tokenizer in TOKENIZERS:
        assert sum(sample[tokenizer] for sample in samples) + TEMPLATE_TOKENS <= most_prompt_tokens(prompt)


def test_what_is_reserved_covers_a_prompt_that_is_written_into_the_providers_cache(db: None, settings: Any) -> None:
    settings.LLM_PROVIDER, settings.OPENAI_BASE_URL = "openai", "https://api.openai.com/v1"
    request = CompletionRequest("gpt-6-luna", (ChatMessage("user", "word " * 4_000),), 0, 20)
    tokens = most_prompt_tokens(request.messages)
    # At $0.125 a million, which is above what other input costs.
    assert most_micros(request) == -(-tokens * 125 // 1_000)


class CountingModel(ScriptedModel):
    """Bills what a real tokenizer counts, and an answer as long as is allowed; some calls take longer than others."""

    def __init__(self, tokenizer: str) -> None:
        super().__init__()
        self.tokens = {sample["text"]: sample[tokenizer] for sample in SAMPLES.values()}

    async def complete(self, request: CompletionRequest) -> Completion:
        said = await super().complete(request)
        await asyncio.sleep(0.02 * (len(self.history) % 3))
        billed = sum(self.tokens[message.content] for message in request.messages) + TEMPLATE_TOKENS
        return Completion("Hi", said.model, billed, request.max_tokens)


@pytest.fixture
def bot(channel: ScriptedChannel, settings: Any, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> ActiveBot:
    """Return a bot for sixty people, of whom about forty can be answered for the budget."""
    settings.LLM_PROVIDER = "openai"
    settings.DAILY_BUDGET_MICROS = CAP
    settings.RATE_LIMIT_PER_USER = 10_000
    settings.MAX_REPLY_TOKENS = 50
    monkeypatch.setattr("bot.pipeline.stages.budget.LATEST_SECONDS", 0.2)
    return BotFactory.active(system_prompt="")


def set_price(call_tokens: int) -> None:
    """Let a call of so many tokens cost a fortieth of the cap."""
    rate = CAP * 1_000_000 // 40 // call_tokens
    prices.forget_prices()
    ModelPrice.objects.create(
        model="gpt-6-luna", valid_from=today(), input_micros_per_million=rate, output_micros_per_million=rate
    )


def sums() -> tuple[int, int]:
    row = DailySpend.objects.filter(user=None, bot="", day=today()).first()
    return (row.spent_micros, row.reserved_micros) if row else (0, 0)


class Watch(logging.Handler):
    """Notes after each batch of reservations what is spent, and what was spent when the first turn was refused."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.spent, self.highest = 0, 0
        self.spent_at_first_refusal: int | None = None
        reserve = budgets.reserve

        def noting(wanted: Sequence[budgets.Wanted]) -> Any:
            results = reserve(wanted)
            spent, reserved = sums()
            self.spent, self.highest = spent, max(self.highest, spent + reserved)
            return results

        monkeypatch.setattr(budgets, "reserve", noting)
        monkeypatch.setattr("bot.pipeline.runner.logger.handlers", [self])

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == "turn_failed" and self.spent_at_first_refusal is None:
            self.spent_at_first_refusal = self.spent


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.parametrize("script", SCRIPTS)
def test_sixty_people_at_once_never_cost_more_than_the_budget_and_use_it(
    bot: ActiveBot,
    channel: ScriptedChannel,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    script: str,
    tokenizer: str,
) -> None:
    caplog.set_level("INFO", "bot.pipeline.runner")
    sample = SAMPLES[script]
    set_price(sample[tokenizer] + TEMPLATE_TOKENS + 50)
    for number in range(PEOPLE):
        address = f"+49151200000{number:02}"
        whitelisted(address)
        accept.accept(bot, [event(f"m{number}", text=sample["text"], address=address)])
    model, watch = CountingModel(tokenizer), Watch(monkeypatch)

    work_until(worker=Worker(PEOPLE, model_factory=lambda: model), seconds=60)

    spent, reserved = sums()
    assert (spent, reserved) == (sum(record.budget_micros or 0 for record in UsageRecord.objects.all()), 0)
    assert max(spent, watch.highest) <= CAP
    assert not Reservation.objects.exists()
    answered = len(model.history)
    assert (channel.texts.count("Hi"), channel.texts.count(ALL_OVER)) == (answered, PEOPLE - answered)
    assert InboundMessage.objects.filter(error_code="GLOBAL_BUDGET_EXCEEDED").count() == PEOPLE - answered > 0
    assert watch.spent_at_first_refusal is not None
    if script in USUAL:
        assert watch.spent_at_first_refusal >= 0.8 * CAP

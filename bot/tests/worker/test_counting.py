"""What turns count for: each outcome once, after its commit."""

from typing import Any

import pytest
from django.test import Client

from bot.channels.sending import SendError
from bot.errors import AppError, ErrorCode
from bot.monitoring.metrics import memory, views
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.monitoring.metrics.scraping import samples
from bot.tests.support.factories import STRANGER, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    memory.pending.take()
    views.forget()


def test_a_turn_counts_its_outcome_its_tokens_its_send_and_how_long_it_took(
    client: Client, bot: ActiveBot, alice: Any, settings: Any
) -> None:
    settings.LLM_PROVIDER = "openai"  # whose prices are known
    accept.accept(bot, [event("one")])
    work_until()
    found = samples(client)
    model = "gpt-6-luna"
    assert found["turns_total", "answered"] == 1
    assert found["deliveries_total", "sent"] == 1
    assert (found["input_tokens_total", model], found["output_tokens_total", model]) == (100, 20)
    assert found["cost_dollars_total", model] > 0
    assert found["model_seconds_count", model] == 1
    assert found["reply_seconds_count",] == 1
    assert 0 < found["reply_seconds_sum",] < 15
    assert not [name for name, *_ in found if name.startswith(("failures", "refusals"))]


def test_turns_that_fail_or_are_refused_are_told_apart(
    client: Client, bot: ActiveBot, alice: Any, model: ScriptedModel, settings: Any
) -> None:
    settings.REDIS_URL, settings.RATE_LIMIT_PER_USER = None, 1
    model.enqueue(AppError(ErrorCode.OPENAI_API_ERROR, "down"))
    accept.accept(bot, [event("one"), event("two", address=STRANGER)])
    worker = work_until(model=model)
    assert worker
    settings.RATE_LIMIT_PER_USER = 1
    accept.accept(bot, [event("three", kind="image", text="")])
    work_until(model=model)
    found = samples(client)
    assert found["turns_total", "failed"] == 1
    assert found["failures_total", "OPENAI_API_ERROR"] == 1
    assert found["turns_total", "refused"] == 2
    assert found["refusals_total", "stranger"] == 1
    assert found["refusals_total", "unsupported"] == 1


@pytest.mark.parametrize(
    ("error", "outcome", "status"),
    [
        (SendError("131000", uncertain=True), "uncertain", "uncertain"),
        (SendError("131000", retryable=False), "dead", "failed"),
    ],
)
def test_sends_that_fail_are_counted(
    client: Client, bot: ActiveBot, alice: Any, channel: ScriptedChannel, error: SendError, outcome: str, status: str
) -> None:
    channel.enqueue(error)
    accept.accept(bot, [event("one")])
    work_until()
    found = samples(client)
    assert found["turns_total", outcome] == 1
    assert found["deliveries_total", status] == 1
    assert ("reply_seconds_count",) not in found

"""What somebody writes at once is no more than a model is shown: else they are told, and nothing is remembered."""

from typing import Any

import pytest

from bot.ai.tokens import BYTES_PER_TOKEN
from bot.models import InboundMessage, OutboundMessage
from bot.queue import accept
from bot.tests.support.factories import BotFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from conversations.models import Message
from usage.models import DailySpend, Reservation, UsageRecord

pytestmark = pytest.mark.usefixtures("turns_db")

TOO_LONG = "That is more than I can read at once. Please send me less text."
LONGEST = 300 * BYTES_PER_TOKEN


@pytest.fixture
def model(settings: Any, channel: ScriptedChannel) -> ScriptedModel:
    settings.MAX_MODEL_TOKENS = 300
    whitelisted()
    return ScriptedModel()


def write(model: ScriptedModel, *texts: str) -> None:
    bot = BotFactory.active()
    accept.accept(bot, [event(f"m{number}", text=text) for number, text in enumerate(texts)])
    work_until(model=model)


def test_a_text_that_a_model_could_not_be_shown_is_told_costs_nothing_and_is_not_remembered(
    model: ScriptedModel, channel: ScriptedChannel, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bot.pipeline.runner")
    settings.DAILY_BUDGET_MICROS = 1_000_000
    write(model, "x" * (LONGEST + 1))

    assert channel.texts == [TOO_LONG]
    assert not model.history
    assert not Message.objects.exists()
    assert not UsageRecord.objects.exists() and not Reservation.objects.exists()
    assert not DailySpend.objects.exclude(reserved_micros=0, spent_micros=0).exists()
    assert InboundMessage.objects.get().error_code == "MESSAGE_TOO_LONG"
    (failure,) = [record for record in caplog.records if record.message == "turn_failed"]
    assert failure.levelname == "INFO"


def test_many_messages_that_are_one_turn_count_together(model: ScriptedModel, channel: ScriptedChannel) -> None:
    write(model, *["𒀀" * 65_000] * 10)
    assert channel.texts == [TOO_LONG]
    assert not model.history
    assert not Message.objects.exists()
    assert OutboundMessage.objects.count() == 1


def test_the_longest_text_is_answered_and_later_ones_are_as_before(
    model: ScriptedModel, channel: ScriptedChannel
) -> None:
    write(model, "x" * LONGEST)
    assert len(model.history) == 1
    write(model, "y" * (LONGEST + 1))
    write(model, "Hello")
    assert channel.texts[-2:] == [TOO_LONG, "Echo: Hello"]

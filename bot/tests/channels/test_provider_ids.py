"""What a provider's support asks for is in the log line of the failure, and never in what a person reads."""

import json
from typing import Any

import pytest

from bot.channels.sending import SendError
from bot.errors import AppError, ErrorCode
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from config.logs.lines import JsonLines
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db")]


def line(caplog: pytest.LogCaptureFixture, message: str) -> dict[str, Any]:
    (record,) = [record for record in caplog.records if record.message == message]
    fields: dict[str, Any] = json.loads(JsonLines().format(record))
    return fields


def test_a_refused_send(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    channel.enqueue(SendError("131026", provider_request_id="AbC-123_x"))
    accept.accept(bot, [event()])
    work_until(model=model)

    assert line(caplog, "send_refused")["provider_request_id"] == "AbC-123_x"


def test_a_refused_token(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    channel.enqueue(SendError("190", credentials_refused=True, provider_request_id="AbC-123_x"))
    accept.accept(bot, [event()])
    work_until(lambda: any(record.message == "bot_paused" for record in caplog.records), model=model)

    said = line(caplog, "send_refused")
    assert (said["provider_request_id"], said["will_retry"]) == ("AbC-123_x", True)


def test_a_model_that_failed(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    context = {"status": 500, "code": "", "provider_request_id": "req_7"}
    model.enqueue(AppError(ErrorCode.OPENAI_API_ERROR, "HTTP 500", retryable=True, context=context))
    accept.accept(bot, [event()])
    work_until(model=model)

    assert line(caplog, "turn_failed")["provider_request_id"] == "req_7"
    assert "req_7" not in channel.texts[0]

"""A model whose context was too small once is not asked for as much again, for a while."""

import time
from typing import Any

import pytest

from bot.ai.base import ChatMessage, CompletionRequest
from bot.ai.breaker import CircuitBreaker
from bot.pipeline.windows import REMEMBERED_SECONDS, Windows
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import event
from bot.tests.support.fakes import ScriptedChannel, work_until
from bot.tests.support.strict_servers import DIALECTS, Dialect, StrictServer
from bot.worker.worker import Worker
from users.models import User


def asked(text: str, model: str = "house") -> CompletionRequest:
    return CompletionRequest(model, (ChatMessage("user", text),), 500, 20)


def test_what_is_as_long_as_what_was_refused_is_known_to_be_too_long() -> None:
    windows = Windows()
    windows.note(asked("a" * 900), 256)
    assert windows.exceeded_by(asked("b" * 900)) == 256
    assert windows.exceeded_by(asked("b" * 800)) is None
    assert windows.exceeded_by(asked("b" * 900, "another")) is None


def test_it_is_forgotten_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = Windows()
    windows.note(asked("a" * 900), 0)
    assert windows.exceeded_by(asked("a" * 900)) == 0
    later = time.monotonic() + REMEMBERED_SECONDS + 1
    monkeypatch.setattr("bot.pipeline.windows.time.monotonic", lambda: later)
    assert windows.exceeded_by(asked("a" * 900)) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_long_conversation_is_refused_once_and_not_at_each_message(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, settings: Any, monkeypatch: pytest.MonkeyPatch,
    dialect: Dialect,
) -> None:  # fmt: skip
    # (Of all the workers below, as if they were one.)
    refused: dict[str, Any] = {}
    monkeypatch.setattr(Windows, "__init__", lambda self: setattr(self, "_refused", refused))
    settings.MAX_REPLY_TOKENS = 256
    server = StrictServer(2_048, dialect=dialect)
    for number in range(8):
        accept.accept(bot, [event(f"m{number}", text="some words " * 150)])
        work_until(worker=Worker(10, model_factory=lambda: CircuitBreaker(server.model())))
    assert len(channel.texts) == 8
    assert all(text.startswith("Well, ") for text in channel.texts)
    assert len([status for status in server.statuses if status != 200]) == 1

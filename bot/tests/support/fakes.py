"""A scripted model and a scripted channel, and a worker that runs in the test's process until a condition holds."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any, ClassVar

import aiohttp
from django.db import connection

from bot.ai.base import Completion, CompletionRequest, LanguageModel
from bot.channels.connection import Account
from bot.channels.console import ConsoleChannel
from bot.channels.sending import OutboundText
from bot.channels.whatsapp.reasons import REASONS
from bot.models import InboundMessage, Lease, OutboundMessage
from bot.tests.support.inline import is_inline, without_threads
from bot.worker.worker import Worker

Step = Exception | str | Callable[[Any], Awaitable[str]]


class ScriptedModel(LanguageModel):
    """Answers a text with what is set for it, else with what was enqueued, else echoes; keeps every request.

    Turns of several chats ask in no certain order: enqueue() is for one chat, answer() for one of many.
    """

    def __init__(self) -> None:
        self.history: list[CompletionRequest] = []
        self._steps: deque[Step] = deque()
        self._answers: dict[str, Step] = {}
        self.closed = False

    def answer(self, text: str, step: Step) -> None:
        self._answers[text] = step

    def enqueue(self, *steps: Step) -> None:
        self._steps.extend(steps)

    async def complete(self, request: CompletionRequest) -> Completion:
        self.history.append(request)
        asked = request.messages[-1].content
        step = self._answers.get(asked) or (self._steps.popleft() if self._steps else f"Echo: {asked}")
        if isinstance(step, Exception):
            raise step
        text = step if isinstance(step, str) else await step(request)
        return Completion(text=text, model="gpt-6-luna-2026-01-01", input_tokens=100, output_tokens=20)

    async def close(self) -> None:
        self.closed = True


class ScriptedChannel(ConsoleChannel):
    """A console that can refuse as WhatsApp does, and keeps every send and upload. Set limit for shorter parts."""

    max_text_length: ClassVar[int] = 4096
    reasons = REASONS

    def __init__(self) -> None:
        self.sent: list[OutboundText] = []
        self.uploaded: list[OutboundText] = []
        self.typing: list[str] = []
        self._steps: deque[Exception | Callable[[OutboundText], Awaitable[None]] | None] = deque()
        self._uploads: deque[Exception | None] = deque()

    def enqueue(self, *steps: Any) -> None:
        self._steps.extend(steps)

    def enqueue_uploads(self, *steps: Exception | None) -> None:
        self._uploads.extend(steps)

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.sent]

    async def upload(self, client: aiohttp.ClientSession, account: Account, message: OutboundText) -> str:
        self.uploaded.append(message)
        if self._uploads and (step := self._uploads.popleft()):
            raise step
        return f"upload-{len(self.uploaded)}"

    async def send(self, client: aiohttp.ClientSession, account: Account, message: OutboundText) -> str:
        self.sent.append(message)
        step = self._steps.popleft() if self._steps else None
        if isinstance(step, Exception):
            raise step
        if step is not None:
            await step(message)
        return f"scripted-{message.id}"

    async def show_typing(self, client: aiohttp.ClientSession, account: Account, external_id: str) -> None:
        self.typing.append(external_id)


def states() -> list[tuple[str, str]]:
    """Return (state, error code) of every inbound message."""
    return list(InboundMessage.objects.order_by("id").values_list("state", "error_code"))


def statuses() -> list[str]:
    """Return the status of every outbound message."""
    return list(OutboundMessage.objects.order_by("id").values_list("status", flat=True))


def nothing_pending() -> bool:
    """Return whether every message came to its end and every lease was given back."""
    return not InboundMessage.objects.pending().exists() and not Lease.objects.exclude(worker="").exists()


def work_until(
    condition: Callable[[], bool] = nothing_pending,
    *,
    model: LanguageModel | None = None,
    worker: Worker | None = None,
    seconds: float = 15,
) -> Worker:
    """Run a worker until condition holds (it is asked in a thread of its own), then stop it.

    In a test with an ordinary transaction it works in the test's own thread (bot/tests/support/inline.py).

    Raises:
        AssertionError: it did not come to hold in time.
    """
    chosen = worker or Worker(10, model_factory=lambda: model or ScriptedModel())
    with without_threads() if is_inline() else nullcontext():
        asyncio.run(_work_until(condition, chosen, seconds, 0.005 if is_inline() else 0.02))
    return chosen


async def _work_until(condition: Callable[[], bool], worker: Worker, seconds: float, pause: float) -> None:
    running = asyncio.create_task(worker.run())
    give_up_at = time.monotonic() + seconds
    try:
        while not await in_thread(condition):
            assert time.monotonic() < give_up_at, "the condition did not come to hold"
            assert not running.done(), "the worker ended by itself"
            await asyncio.sleep(pause)
    finally:
        worker.stop()
        await running


async def in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return function(*arguments), called in a thread that leaves no connection open, as a step of a script may."""
    return await asyncio.to_thread(_alone, function, *arguments)


def _alone(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    finally:
        connection.close()

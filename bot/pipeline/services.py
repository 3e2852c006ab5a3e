"""Services that the worker passes to stages; database threads as protocols."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from bot.ai.base import LanguageModel
from bot.pipeline.limiter import Limiter
from bot.pipeline.windows import Windows

if TYPE_CHECKING:
    import aiohttp

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Runs(Protocol):
    """A thread with a connection to the database."""

    async def run(self, function: Callable[..., Answer], *arguments: object) -> Answer:
        """Return function(*arguments), called in the thread."""


class Writes(Runs, Protocol):
    """A database thread that also batches writes into one transaction."""

    async def submit(self, function: Callable[[Sequence[Item]], Sequence[Answer | Exception]], item: Item) -> Answer:
        """Return function's answer for item, computed in a batch with other waiting items."""


@dataclass(slots=True)
class Services:
    """One worker's shared services: database thread, model, HTTP session and rate limiter.

    side_thread: a second database thread for slow work, so that it does not delay turns.
    """

    database: Writes
    model: LanguageModel
    client: aiohttp.ClientSession
    limiter: Limiter
    side_thread: Runs
    windows: Windows = field(default_factory=Windows)
    background: set[asyncio.Task[None]] = field(default_factory=set)

    def in_background(self, task: asyncio.Task[None]) -> None:
        """Keep a reference to a task that nobody awaits."""
        self.background.add(task)
        task.add_done_callback(self.background.discard)

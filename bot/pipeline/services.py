"""What the stages of a turn may use, given to them by the worker: threads of a database only as protocols."""

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
    """A thread with a connection to the database that also writes what came together in one transaction."""

    async def submit(self, function: Callable[[Sequence[Item]], Sequence[Answer | Exception]], item: Item) -> Answer:
        """Return function's answer for item, computed together with other items that wait."""


@dataclass(slots=True)
class Services:
    """One worker's shared tools: its database thread, model, HTTP session and rate limiter.

    side_thread: for database work that takes longer than all turns should wait.
    """

    database: Writes
    model: LanguageModel
    client: aiohttp.ClientSession
    limiter: Limiter
    side_thread: Runs
    windows: Windows = field(default_factory=Windows)
    background: set[asyncio.Task[None]] = field(default_factory=set)

    def in_background(self, task: asyncio.Task[None]) -> None:
        """Keep a task alive that nobody waits for."""
        self.background.add(task)
        task.add_done_callback(self.background.discard)

"""What the stages of a turn may use, given to them by the worker."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.ai.base import LanguageModel
from bot.pipeline.windows import Windows
from config.db.database_thread import Database
from config.db.side_thread import Apart

if TYPE_CHECKING:
    import aiohttp

    from bot.pipeline.limiter import Limiter


@dataclass(slots=True)
class Services:
    """One worker's shared tools: its database thread, model, HTTP session and rate limiter.

    apart: for database work that takes longer than all turns should wait (config/db/side_thread.py).
    """

    database: Database
    model: LanguageModel
    client: aiohttp.ClientSession
    limiter: Limiter
    apart: Apart = field(default_factory=Apart)
    windows: Windows = field(default_factory=Windows)
    background: set[asyncio.Task[None]] = field(default_factory=set)

    def in_background(self, task: asyncio.Task[None]) -> None:
        """Keep a task alive that nobody waits for."""
        self.background.add(task)
        task.add_done_callback(self.background.discard)

"""Background upkeep of a worker: renew its leases, beat its heartbeat, flush its metrics."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from bot.models import TakenLease
from bot.monitoring import heartbeats, metrics
from bot.worker import claims
from config.db.batching import Database
from config.db.database_thread import is_program_error

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 8.0


class Upkeep:
    """The background tasks of one worker. leases: returns those that it holds now.

    They survive a database that does not answer.
    """

    def __init__(self, name: str, database: Database, leases: Callable[[], Sequence[TakenLease]]) -> None:
        self._name, self._database, self._leases = name, database, leases
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Start the background tasks."""
        self._tasks = [asyncio.create_task(self._keep_beating()), asyncio.create_task(self._keep_flushing())]

    async def end(self) -> None:
        """Stop the background tasks, flush the metrics, and delete the heartbeat."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._try(metrics.flush)
        await self._try(heartbeats.end, self._name)

    async def _keep_beating(self) -> None:
        while True:
            if leases := self._leases():
                # A turn that lost its lease finds out at its next write. Its model call is not cancelled: it is paid
                # for, and its cost is recorded.
                await self._try(claims.renew, self._name, leases)
            await self._try(heartbeats.beat, heartbeats.Kind.WORKER, self._name)
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def _keep_flushing(self) -> None:
        while True:
            await asyncio.sleep(metrics.FLUSH_SECONDS)
            if metrics.pending:
                await self._try(metrics.flush)

    async def _try(self, sign: Callable[..., Any], *arguments: Any) -> None:
        try:
            await self._database.run(sign, *arguments)
        except Exception as error:
            facts = {"sign": sign.__name__, "error": type(error).__name__}
            logger.error("heartbeat_failed", extra=facts, exc_info=is_program_error(error))

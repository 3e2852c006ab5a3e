"""The front's way to its database: one thread that writes whatever waits as one transaction, behind a bounded queue."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from bot.front.limits import Bound, busy
from bot.monitoring import metrics
from bot.queue import accept, snapshot
from bot.queue.received import Delivery, Stored, note
from bot.queue.snapshot import FRESH_SECONDS, MISSED_SECONDS, Directory
from config.db.batching import Database
from config.db.database_thread import is_program_error
from config.db.gathering import Crowd

logger = logging.getLogger(__name__)

# A group takes some milliseconds. When none came back for so long, whoever comes is refused at once.
PATIENCE_SECONDS = 1.5
WATCH_SECONDS = 0.25
# What waits is deliveries in memory; a provider delivers again what is refused.
MOST_WAITING = 2_000
REFUSED_AT_ONCE = 20
HANGS = "the database does not answer, try again later"


class Intake:
    """Stores deliveries, keeps the directory fresh, and hands over what was counted: all in one thread."""

    def __init__(self) -> None:
        self.crowd = Crowd()
        self.database = Database(self.crowd, patience_seconds=0.0)
        self._waiting = Bound(MOST_WAITING, "deliveries")
        self._refreshing: asyncio.Task[Directory] | None = None
        self._stored: list[tuple[Delivery, Stored]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._refused = False

    def begin(self) -> None:
        """Work in the background from now on; an event loop must run."""
        work = (self._keep_watching, self._keep_fresh, self._keep_flushing)
        self._tasks = [asyncio.create_task(each()) for each in work]

    async def close(self) -> None:
        """Write what waits, hand over what was counted, and close the connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if metrics.pending and not self.hangs:
            await self._quietly(metrics.flush)
        await self.database.close()
        self.note_stored()

    @property
    def hangs(self) -> bool:
        """Whether the thread has not come back for too long: whoever waits for it now waits for nothing."""
        return self.database.busy_seconds > PATIENCE_SECONDS

    def store(self, delivery: Delivery, stored: asyncio.Future[Stored]) -> None:
        """Write a delivery with the next group; `stored` is set once it is committed, or to a django.db.Error or BUSY.

        Raises:
            AppError: BUSY, the database hangs or too much waits for it.
        """
        if self.hangs:
            self._note(refused=True)
            raise busy(HANGS)
        self._waiting.take()
        stored.add_done_callback(partial(self._done, delivery))
        self.database.hand_in(accept.store, delivery, stored)

    def _done(self, delivery: Delivery, stored: asyncio.Future[Stored]) -> None:
        self._waiting.give_back()
        if stored.cancelled() or stored.exception() is not None:
            return
        if self._refused:
            self._note(refused=False)
        if not self._stored:
            # (When all who were written with it are answered.)
            asyncio.get_running_loop().call_soon(self.note_stored)
        self._stored.append((delivery, stored.result()))

    def note_stored(self) -> None:
        """Count and log what was stored since the last time."""
        if stored := self._stored:
            self._stored = []
            note(*zip(*stored, strict=True))

    async def bots(self, fresh_seconds: float = FRESH_SECONDS * 2) -> Directory:
        """Return a directory that is at most so old; in the background it is read every FRESH_SECONDS.

        Raises:
            AppError: BUSY, the database hangs.
            django.db.Error: it could not be read.
        """
        latest = snapshot.latest()
        if latest is not None and latest.age <= fresh_seconds:
            return latest
        if self.hangs:
            if latest is not None:  # what it says is better than nothing, and nothing is stored by it now
                return latest
            raise busy(HANGS)
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(
                self.database.run(snapshot.current, min(fresh_seconds, MISSED_SECONDS))
            )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS * 2):
                return await asyncio.shield(self._refreshing)
        except TimeoutError:
            raise busy(HANGS) from None

    def _note(self, *, refused: bool) -> None:
        if refused == self._refused:
            return
        self._refused = refused
        if refused:
            logger.error("requests_refused")
        else:
            logger.warning("requests_accepted_again")

    @property
    def refuses(self) -> bool:
        """Whether webhooks are refused just now."""
        return self.hangs or self._waiting.used >= MOST_WAITING

    async def _keep_watching(self) -> None:
        """Answer who waits for a thread that hangs."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self.hangs and (waiting := self.database.give_up_waiting()):
                self._note(refused=True)
                await refuse(waiting)

    async def _keep_fresh(self) -> None:
        while True:
            await self._quietly(snapshot.current, FRESH_SECONDS / 2)
            await asyncio.sleep(FRESH_SECONDS)

    async def _keep_flushing(self) -> None:
        while True:
            await asyncio.sleep(metrics.FLUSH_SECONDS)
            if metrics.pending and not self.hangs:
                await self._quietly(metrics.flush)

    async def _quietly(self, work: Callable[..., Any], *arguments: Any) -> None:
        """Do what is no request's; without an answer of the database it is done the next time."""
        try:
            await self.database.run(work, *arguments)
        except Exception as error:
            facts = {"work": work.__name__, "error": type(error).__name__}
            logger.warning("background_work_failed", extra=facts, exc_info=is_program_error(error))


async def refuse(waiting: Sequence[asyncio.Future[Any]]) -> None:
    """Refuse those who wait, some at a time: a thousand answers at once would hold up the probes."""
    for start in range(0, len(waiting), REFUSED_AT_ONCE):
        for future in waiting[start : start + REFUSED_AT_ONCE]:
            if not future.done():
                future.set_exception(busy(HANGS))
        await asyncio.sleep(0)

"""Write batching: a process's database thread groups items of concurrent turns into one transaction."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from functools import partial
from typing import Any, TypeVar

from config.db.database_thread import AWAY, DatabaseThread
from config.db.gathering import LARGEST, Gathering

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")
BatchFunction = Callable[[Sequence[Item]], Sequence[Result | Exception]]

RECONNECT_SECONDS = 0.5
# How long to retry while the database is unavailable; leases have expired by then.
PATIENCE_SECONDS = 25.0
# PostgreSQL's codes of serialization failure and deadlock: the transaction was rolled back and may be retried.
CONFLICTS = frozenset({"40001", "40P01"})


def is_conflict(error: Exception) -> bool:
    """Return whether a transaction was rolled back because of a conflict with another, as in a deadlock."""
    return getattr(error.__cause__, "sqlstate", None) in CONFLICTS


class Database(DatabaseThread):
    """A process's only access to its database: a single thread with a single connection.

    submit() passes one item to a function that takes a batch: items queue while the thread is busy, and the next call
    takes them all, so that turns share a transaction under load and nobody waits when idle. All lease changes of a
    worker are serialized here, so that it cannot deadlock with itself.
    """

    def __init__(self, gathering: Gathering | None = None, patience_seconds: float | None = None) -> None:
        """Start no thread yet.

        gathering: how long a batch waits for more items. patience_seconds: how long to retry while the database is
        unavailable, 0 for not at all; PATIENCE_SECONDS unless given.
        """
        super().__init__(keeps_connection=True)
        self._gathering = gathering or Gathering()
        self._patience_seconds = PATIENCE_SECONDS if patience_seconds is None else patience_seconds
        self._running: list[tuple[Any, asyncio.Future[Any]]] = []
        self._waiting: dict[Any, list[tuple[Any, asyncio.Future[Any]]]] = {}
        self._runner: asyncio.Task[None] | None = None

    async def submit(self, function: BatchFunction[Item, Result], item: Item) -> Result:
        """Return function's result for item, computed in a batch with other waiting items.

        Raises:
            Exception: what function returned or raised for this item.
        """
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.hand_in(function, item, future)
        return await future

    def batch(
        self, function: Callable[..., Sequence[Result | Exception]], *arguments: Any
    ) -> Callable[[Item], Awaitable[Result]]:
        """Return a callable that submits an item to function(*arguments, items). Make it once: it names the batch."""
        together = partial(function, *arguments)
        return lambda item: self.submit(together, item)

    def hand_in(self, function: BatchFunction[Item, Result], item: Item, future: asyncio.Future[Result]) -> None:
        """Submit an item whose result, or exception, is set on a future."""
        self._waiting.setdefault(function, []).append((item, future))
        if self._runner is None or self._runner.done():
            # An empty context: the batch does not belong to its first item alone.
            self._runner = asyncio.create_task(self._run(), context=Context())

    def give_up_waiting(self) -> list[asyncio.Future[Any]]:
        """Drop all submitted items and return their futures, which the caller completes.

        A batch that is being written may still be committed.
        """
        entries = [entry for waiting in self._waiting.values() for entry in waiting]
        self._waiting.clear()
        return [future for _, future in [*self._running, *entries] if not future.done()]

    async def close(self) -> None:
        """Finish the waiting items and close the connection."""
        if self._runner is not None:
            await asyncio.gather(self._runner, return_exceptions=True)
        await super().close()

    async def _run(self) -> None:
        while self._waiting:
            await self._gathering.wait(self._waits)
            function, entries = next(iter(self._waiting.items()))
            batch, rest = entries[:LARGEST], entries[LARGEST:]
            del self._waiting[function]
            if rest:  # to the end of the queue: other functions come first
                self._waiting[function] = rest
            await self._run_batch(function, batch)
            self._gathering.went(len(batch), self._waits())

    def _waits(self) -> int:
        """Return how many items wait."""
        return sum(map(len, self._waiting.values()))

    async def _run_batch(self, function: Any, batch: list[tuple[Any, asyncio.Future[Any]]]) -> None:
        self._running = batch
        try:
            results = await self._with_retries(function, [item for item, _ in batch])
        except Exception as error:
            if len(batch) == 1 or (isinstance(error, AWAY) and not is_conflict(error)):
                results = [error] * len(batch)
            else:
                # One item fails the transaction of all: find it by running them one by one.
                logger.warning("batch_split", extra={"size": len(batch), "error": type(error).__name__})
                for entry in batch:
                    await self._run_batch(function, [entry])
                return
        for (_, future), result in zip(batch, results, strict=True):
            if future.done():  # its turn was cancelled meanwhile
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)

    async def _with_retries(self, function: Any, items: list[Any]) -> Any:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._patience_seconds
        tried = 0
        while True:
            try:
                tried += 1
                return await loop.run_in_executor(self._executor, self._in_thread, function, items)
            except AWAY as error:
                # A hanging server can use up the patience in one try: try a new connection at least once.
                if self._aborted or (loop.time() > give_up_at and (tried > 1 or not self._patience_seconds)):
                    raise
                logger.warning("database_unavailable", extra={"error": type(error).__name__})
                await asyncio.sleep(RECONNECT_SECONDS)

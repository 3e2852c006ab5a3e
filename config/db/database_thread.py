"""Database work for the event loop: one thread, and what came together is written together."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any, TypeVar

from django.conf import settings
from django.db import (
    DEFAULT_DB_ALIAS,
    InterfaceError,
    InternalError,
    OperationalError,
    close_old_connections,
    connection,
    connections,
    reset_queries,
)
from django.utils.translation import get_language, override

from config.db.gathering import LARGEST, Gathering

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")
BatchFunction = Callable[[Sequence[Item]], Sequence[Result | Exception]]

RECONNECT_SECONDS = 0.5
# How long a turn waits for a database that went away before its work is given up (a lease is lost by then).
PATIENCE_SECONDS = 25.0
# What says that the database is away, not that an item is wrong. (InternalError: read-only, as after a failover.)
AWAY = (OperationalError, InterfaceError, InternalError)
# PostgreSQL's codes for two transactions in each other's way: one of them was undone, and may be done again.
CONFLICTS = frozenset({"40001", "40P01"})


def is_a_bug(error: Exception) -> bool:
    """Return whether an error needs its traceback: where the database is away, its name says all."""
    return not isinstance(error, AWAY)


def is_a_conflict(error: Exception) -> bool:
    """Return whether a transaction was undone only because it and another waited for each other."""
    return getattr(error.__cause__, "sqlstate", None) in CONFLICTS


def carrying(function: Callable[..., Result], *arguments: Any) -> Callable[[], Result]:
    """Return a call of function(*arguments) for another thread, in the context and language that are this caller's.

    Its log lines carry the ids that are bound here, and its sentences are in the language that is spoken here.
    (Django's translations keep that for each thread, so that the context alone does not carry it.)
    """
    context, language = copy_context(), get_language()

    def work() -> Result:
        with override(language):
            return function(*arguments)

    return lambda: context.run(work)


class Database:
    """A process's only way to its database: a single thread with a single connection.

    submit() hands one item to a function that takes many: while the thread is busy items gather, and the next call
    takes them all, so that under load many turns share one transaction and when idle nobody waits. Everything a worker
    does to its leases passes here one after the other, so that it can't deadlock with itself.
    """

    def __init__(self, gathering: Gathering | None = None, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Start no thread yet.

        gathering: how long a batch waits for company. patience_seconds: how long a database that is away is tried
        again, 0 for not at all.
        """
        self._gathering = gathering or Gathering()
        self._patience_seconds = patience_seconds
        self._running: list[tuple[Any, asyncio.Future[Any]]] = []
        self._busy_since: float | None = None
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self._waiting: dict[Any, list[tuple[Any, asyncio.Future[Any]]]] = {}
        self._runner: asyncio.Task[None] | None = None
        self._connection: Any = None
        self._hung_up = False

    async def submit(self, function: BatchFunction[Item, Result], item: Item) -> Result:
        """Return function's result for item, computed together with other items that wait.

        Raises:
            Exception: what function returned or raised for this item.
        """
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self.hand_in(function, item, future)
        return await future

    def hand_in(self, function: BatchFunction[Item, Result], item: Item, future: asyncio.Future[Result]) -> None:
        """Let a future be set to what submit() would return, or to what it would raise."""
        self._waiting.setdefault(function, []).append((item, future))
        if self._runner is None or self._runner.done():
            # In a context of its own: what it writes is not only its first item's.
            self._runner = asyncio.create_task(self._run(), context=Context())

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return function(*arguments), called in the database thread."""
        work = carrying(self._in_thread, function, *arguments)
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    @property
    def busy_seconds(self) -> float:
        """For how long the thread has been at the same piece of work; 0.0 when it has none."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def give_up_waiting(self) -> list[asyncio.Future[Any]]:
        """Forget all submitted items, and return the futures of those who wait for them; the caller answers these.

        What is being written may be committed all the same.
        """
        entries = [entry for waiting in self._waiting.values() for entry in waiting]
        self._waiting.clear()
        return [future for _, future in [*self._running, *entries] if not future.done()]

    def hang_up(self) -> None:
        """Do no more work, and end what is being done: who waits for a database that does not answer waits no more."""
        self._hung_up = True
        # (SQLite's connection can't be ended from here; it waits for a lock no longer than its own time-out.)
        if hang_up := getattr(self._connection, "hang_up", None):
            hang_up()

    async def close(self) -> None:
        """Finish what waits and close the connection."""
        if self._runner is not None:
            await asyncio.gather(self._runner, return_exceptions=True)
        # (A function: `connection` is another object in each thread.)
        await asyncio.get_running_loop().run_in_executor(self._executor, lambda: connection.close())
        self._executor.shutdown()

    async def _run(self) -> None:
        while self._waiting:
            await self._gathering.wait(self._waits)
            function, entries = next(iter(self._waiting.items()))
            batch, rest = entries[:LARGEST], entries[LARGEST:]
            del self._waiting[function]
            if rest:  # to the end of the line: other kinds of work come first
                self._waiting[function] = rest
            await self._run_batch(function, batch)
            self._gathering.went(len(batch), self._waits())

    def _waits(self) -> int:
        """Return how many items wait."""
        return sum(map(len, self._waiting.values()))

    async def _run_batch(self, function: Any, batch: list[tuple[Any, asyncio.Future[Any]]]) -> None:
        self._running = batch
        try:
            results = await self._with_patience(function, [item for item, _ in batch])
        except Exception as error:
            if len(batch) == 1 or (isinstance(error, AWAY) and not is_a_conflict(error)):
                results = [error] * len(batch)
            else:
                # One item spoils the transaction of all: find it by doing them one by one.
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

    async def _with_patience(self, function: Any, items: list[Any]) -> Any:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self._patience_seconds
        tried = 0
        while True:
            try:
                tried += 1
                return await loop.run_in_executor(self._executor, self._in_thread, function, items)
            except AWAY as error:
                # A server that hangs can use up the patience with one try: a new connection may still find it well.
                if self._hung_up or (loop.time() > give_up_at and (tried > 1 or not self._patience_seconds)):
                    raise
                logger.warning("database_unavailable", extra={"error": type(error).__name__})
                await asyncio.sleep(RECONNECT_SECONDS)

    def _in_thread(self, function: Callable[..., Result], *arguments: Any) -> Result:
        if self._hung_up:
            raise InterfaceError("the worker has hung up on its database")
        self._busy_since = time.monotonic()
        try:
            close_old_connections()
            self._connection = connections[DEFAULT_DB_ALIAS]
            return function(*arguments)
        except AWAY:
            connection.close()
            raise
        finally:
            self._busy_since = None
            if settings.DEBUG:
                reset_queries()

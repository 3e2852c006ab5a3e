"""Do database work for an event loop in a thread, which has the one connection."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
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

Result = TypeVar("Result")

# What says that the database is away, not that an item is wrong. InternalError: read-only, as after a failover.
AWAY = (OperationalError, InterfaceError, InternalError)


def is_program_error(error: Exception) -> bool:
    """Return whether an error needs its traceback: where the database is away, its name says all."""
    return not isinstance(error, AWAY)


def with_context(function: Callable[..., Result], *arguments: Any) -> Callable[[], Result]:
    """Return a call of function(*arguments) for another thread, in the context and language that are this caller's.

    Its log lines carry the ids that are bound here, and its sentences are in the language that is spoken here.
    Django's translations keep that for each thread, so that the context alone does not carry it.
    """
    context, language = copy_context(), get_language()

    def work() -> Result:
        with override(language):
            return function(*arguments)

    return lambda: context.run(work)


class DatabaseThread:
    """One thread with one database connection; what it is given is done one after the other.

    A turn that is given up (its deadline, a shutdown) does not end what the thread does for it: whoever writes to the
    database does it in a transaction, and so that doing it again is harmless.
    """

    def __init__(self, *, keeps_connection: bool) -> None:
        """Start no thread yet: the first piece of work does.

        keeps_connection: else it is open for as long as a piece of work takes. For what is asked for rarely, one that
        stayed open would be one more for each worker.
        """
        self._keeps_connection = keeps_connection
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self._connection: Any = None
        self._busy_since: float | None = None
        self._aborted = False

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return function(*arguments), called in the thread, in the log context and language that are this caller's.

        Raises:
            Exception: what function raised; a database that is away is not waited for.
        """
        work = with_context(self._in_thread, function, *arguments)
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    @property
    def busy_seconds(self) -> float:
        """For how long the thread has been at the same piece of work; 0.0 when it has none."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def abort(self) -> None:
        """Begin no more work, and break the connection of what is being done: its transaction is undone."""
        self._aborted = True
        # SQLite's connection can't be ended from here; it waits for a lock no longer than its own time-out.
        if abort := getattr(self._connection, "abort", None):
            abort()

    async def close(self) -> None:
        """Wait for what is being done and close the connection; where none is kept, what waits is not begun."""
        if self._keeps_connection:
            # A function: `connection` is another object in each thread.
            await asyncio.get_running_loop().run_in_executor(self._executor, lambda: connection.close())
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)

    def _in_thread(self, function: Callable[..., Result], *arguments: Any) -> Result:
        if self._aborted:
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
            if not self._keeps_connection:
                connection.close()
                self._connection = None
            if settings.DEBUG:
                reset_queries()

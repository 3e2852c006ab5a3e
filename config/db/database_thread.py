"""A thread with one database connection that does an event loop's database work."""

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

# Errors of an unavailable database, not of an item. InternalError: it is read-only, as after a failover.
AWAY = (OperationalError, InterfaceError, InternalError)


def is_program_error(error: Exception) -> bool:
    """Return whether an error needs its traceback, because it is not an unavailable database."""
    return not isinstance(error, AWAY)


def with_context(function: Callable[..., Result], *arguments: Any) -> Callable[[], Result]:
    """Return a call of function(*arguments) for another thread, with this caller's context and language.

    The context carries the ids of log lines; Django keeps the active language per thread, outside of it.
    """
    context, language = copy_context(), get_language()

    def work() -> Result:
        with override(language):
            return function(*arguments)

    return lambda: context.run(work)


class DatabaseThread:
    """One thread with one database connection; calls are serialized.

    A cancelled turn (deadline, shutdown) does not cancel its running call: writes must be transactional and idempotent.
    """

    def __init__(self, *, keeps_connection: bool) -> None:
        """Start no thread yet: the first call does.

        keeps_connection: else the connection is closed after each call, so that rare work does not cost each worker a
        second open connection.
        """
        self._keeps_connection = keeps_connection
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database")
        self._connection: Any = None
        self._busy_since: float | None = None
        self._aborted = False

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return function(*arguments), called in the thread with the caller's log context and language.

        Raises:
            Exception: what function raised; an unavailable database is not retried.
        """
        work = with_context(self._in_thread, function, *arguments)
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    @property
    def busy_seconds(self) -> float:
        """How long the current call has been running; 0.0 without one."""
        since = self._busy_since
        return 0.0 if since is None else time.monotonic() - since

    def abort(self) -> None:
        """Refuse further calls and break the connection of the current one, which rolls its transaction back."""
        self._aborted = True
        # SQLite's connection cannot be broken; it waits for a lock no longer than its own timeout.
        if abort := getattr(self._connection, "abort", None):
            abort()

    async def close(self) -> None:
        """Wait for the current call and close the connection; without a kept connection, cancel waiting calls."""
        if self._keeps_connection:
            # A lambda, because `connection` is another object in each thread.
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

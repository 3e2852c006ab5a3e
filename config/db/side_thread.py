"""Work beside the worker's database thread: what takes seconds must not hold up everybody's turns."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, InterfaceError, connections, reset_queries

from config.db.database_thread import carrying

Result = TypeVar("Result")


class Apart:
    """One thread besides the database thread, with a connection of its own for as long as a piece of work takes.

    Pieces are done one after the other. A turn that is given up (its deadline, a shutdown) does not end its piece:
    whoever writes to the database in one does it in a transaction, and so that doing it again is harmless.
    """

    def __init__(self) -> None:
        # (The thread is started by the first piece of work.)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="apart")
        self._connection: Any = None
        self._hung_up = False

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return function(*arguments), called in the thread, in the log context and language that are this caller's.

        Raises:
            Exception: what function raised; a database that is away is not waited for.
        """
        work = carrying(self._in_thread, function, *arguments)
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def hang_up(self) -> None:
        """Begin no more work, and break the connection of what is being done: its transaction is undone."""
        self._hung_up = True
        # (SQLite's connection can't be ended from here; it waits for a lock no longer than its own time-out.)
        if hang_up := getattr(self._connection, "hang_up", None):
            hang_up()

    async def close(self) -> None:
        """Wait for what is being done; what waits for its turn is not begun. The event loop goes on meanwhile."""
        await asyncio.to_thread(self._executor.shutdown, cancel_futures=True)

    def _in_thread(self, function: Callable[..., Result], *arguments: Any) -> Result:
        if self._hung_up:
            raise InterfaceError("the worker has hung up on its database")
        self._connection = connections[DEFAULT_DB_ALIAS]
        try:
            return function(*arguments)
        finally:
            # One that stayed open would be one more for each worker, for something that is asked for rarely.
            self._connection.close()
            self._connection = None
            if settings.DEBUG:
                reset_queries()

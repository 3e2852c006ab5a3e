"""A worker in the test's own thread and transaction, which is rolled back at the end instead of emptying every table.

What looks different from outside is made the same: what is committed "now" runs its on_commit callbacks now, and no
thread but the test's own does anything. Tests of threads, locks and lost connections do without it.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection


def is_inline() -> bool:
    """Return whether the test is inside of a transaction, which no other thread can see into."""
    return connection.in_atomic_block


@contextmanager
def as_if_outside() -> Iterator[None]:
    """Let the test's transaction not be noticed: commits run their callbacks, and nothing closes the connection."""
    release: Callable[[str], None] = connection.savepoint_commit
    remember: Callable[..., None] = connection.on_commit

    def savepoint_commit(sid: str) -> None:
        release(sid)
        if not connection.savepoint_ids:  # the outermost transaction of the code under test
            waiting, connection.run_on_commit = connection.run_on_commit, []
            for entry in waiting:
                entry[1]()

    def on_commit(function: Callable[[], Any], robust: bool = False) -> None:
        if connection.savepoint_ids:
            remember(function, robust)
        else:
            function()

    with patch.multiple(connection, savepoint_commit=savepoint_commit, on_commit=on_commit, close=lambda: None):
        yield


@contextmanager
def without_threads() -> Iterator[None]:
    """Let what is meant for a thread be done at once, by who hands it in."""
    with patch.object(ThreadPoolExecutor, "submit", _do_at_once):
        yield


def _do_at_once(_: ThreadPoolExecutor, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
    done: Future[Any] = Future()
    # Django keeps a connection for each event loop, and refuses one inside of it. Only what was meant for a thread is
    # let off: code that asks the database from the loop itself is still refused.
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        done.set_result(function(*arguments, **named))
    except BaseException as error:
        done.set_exception(error)
    finally:
        asyncio._set_running_loop(loop)
    return done

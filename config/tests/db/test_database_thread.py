"""A database thread: one piece at a time, beside another thread, and a connection that is kept or is not."""

import asyncio
import threading
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, InterfaceError, connection, connections, transaction
from django.utils.translation import get_language

from bot.language import use_language
from config.db.batching import Database
from config.db.database_thread import DatabaseThread
from config.logs.context import bind, bound_ids
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def in_loop(main: Any) -> Any:
    async def run() -> Any:
        side_thread = DatabaseThread(keeps_connection=False)
        try:
            return await main(side_thread)
        finally:
            await side_thread.close()

    return asyncio.run(run())


def test_the_database_thread_goes_on_while_something_takes_long() -> None:
    release = threading.Event()

    async def main(side_thread: DatabaseThread) -> tuple[bool, bool]:
        database = Database()
        slow = asyncio.create_task(side_thread.run(release.wait, 10))
        await asyncio.sleep(0)
        answered = await database.run(User.objects.exists)  # (would wait for ever in the same thread)
        release.set()
        await database.close()
        return answered, await slow

    assert in_loop(main) == (False, True)


def test_pieces_are_done_one_after_the_other() -> None:
    running: list[int] = []
    most: list[int] = []

    def piece(number: int) -> int:
        running.append(number)
        most.append(len(running))
        threading.Event().wait(0.02)
        running.remove(number)
        return number

    async def main(side_thread: DatabaseThread) -> list[int]:
        return await asyncio.gather(*[side_thread.run(piece, number) for number in range(4)])

    assert in_loop(main) == [0, 1, 2, 3]
    assert most == [1, 1, 1, 1]


def test_a_connection_that_is_kept_is_used_again_and_closed_with_the_thread() -> None:
    async def run() -> tuple[Any, Any, bool]:
        thread = DatabaseThread(keeps_connection=True)
        first, second = [await thread.run(live_connection) for _ in range(2)]
        was_open = first.connection is not None
        await thread.close()
        return first, second, was_open

    first, second, was_open = asyncio.run(run())
    assert first is second and was_open
    assert first.connection is None


def live_connection() -> Any:
    User.objects.exists()
    return connections[DEFAULT_DB_ALIAS]


@pytest.mark.parametrize("fails", [False, True])
def test_its_connection_is_closed_afterwards(fails: bool) -> None:
    used: list[Any] = []

    def piece() -> None:
        used.append(connections[DEFAULT_DB_ALIAS])  # this thread's own
        User.objects.exists()
        assert used[0].connection is not None
        if fails:
            raise ZeroDivisionError

    async def main(side_thread: DatabaseThread) -> Any:
        return await asyncio.gather(side_thread.run(piece), return_exceptions=True)

    (result,) = in_loop(main)
    assert isinstance(result, ZeroDivisionError) is fails
    assert used[0].connection is None


def test_it_speaks_the_callers_language_and_logs_the_callers_ids() -> None:
    def piece() -> tuple[str | None, dict[str, Any]]:
        return get_language(), dict(bound_ids())

    async def main(side_thread: DatabaseThread) -> Any:
        with use_language("de"), bind(turn_id=7):
            return await side_thread.run(piece)

    language, bound = in_loop(main)
    assert (language, bound["turn_id"]) == ("de", 7)


def test_a_worker_that_hangs_up_begins_nothing_more() -> None:
    async def main(side_thread: DatabaseThread) -> Any:
        side_thread.abort()
        return await asyncio.gather(side_thread.run(User.objects.exists), return_exceptions=True)

    assert isinstance(in_loop(main)[0], InterfaceError)


def test_a_broken_connection_undoes_what_was_begun_and_the_next_piece_is_done() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's connection can't be broken from another thread")
    begun, go_on = threading.Event(), threading.Event()

    def piece() -> None:
        with transaction.atomic():
            User.objects.create_user("+491711234567")
            begun.set()
            go_on.wait(10)
            User.objects.exists()

    async def main(side_thread: DatabaseThread) -> Any:
        slow = asyncio.create_task(side_thread.run(piece))
        await asyncio.to_thread(begun.wait, 10)
        side_thread.abort()
        go_on.set()
        (failed,) = await asyncio.gather(slow, return_exceptions=True)
        return failed

    assert in_loop(main) is not None
    assert not User.objects.exists()

"""Work beside the database thread: nobody waits for it, one piece at a time, and no connection is left open."""

import asyncio
import threading
from typing import Any

import pytest
from django.db import DEFAULT_DB_ALIAS, InterfaceError, connection, connections, transaction
from django.utils.translation import get_language

from bot.language import speaking
from config.db.database_thread import Database
from config.db.side_thread import Apart
from config.logs.context import bind, bound_ids
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def in_loop(main: Any) -> Any:
    async def run() -> Any:
        apart = Apart()
        try:
            return await main(apart)
        finally:
            await apart.close()

    return asyncio.run(run())


def test_the_database_thread_goes_on_while_something_takes_long() -> None:
    release = threading.Event()

    async def main(apart: Apart) -> tuple[bool, bool]:
        database = Database()
        slow = asyncio.create_task(apart.run(release.wait, 10))
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

    async def main(apart: Apart) -> list[int]:
        return await asyncio.gather(*[apart.run(piece, number) for number in range(4)])

    assert in_loop(main) == [0, 1, 2, 3]
    assert most == [1, 1, 1, 1]


@pytest.mark.parametrize("fails", [False, True])
def test_its_connection_is_closed_afterwards(fails: bool) -> None:
    used: list[Any] = []

    def piece() -> None:
        used.append(connections[DEFAULT_DB_ALIAS])  # this thread's own
        User.objects.exists()
        assert used[0].connection is not None
        if fails:
            raise ZeroDivisionError

    async def main(apart: Apart) -> Any:
        return await asyncio.gather(apart.run(piece), return_exceptions=True)

    (result,) = in_loop(main)
    assert isinstance(result, ZeroDivisionError) is fails
    assert used[0].connection is None


def test_it_speaks_the_callers_language_and_logs_the_callers_ids() -> None:
    def piece() -> tuple[str | None, dict[str, Any]]:
        return get_language(), dict(bound_ids())

    async def main(apart: Apart) -> Any:
        with speaking("de"), bind(turn_id=7):
            return await apart.run(piece)

    language, bound = in_loop(main)
    assert (language, bound["turn_id"]) == ("de", 7)


def test_a_worker_that_hangs_up_begins_nothing_more() -> None:
    async def main(apart: Apart) -> Any:
        apart.hang_up()
        return await asyncio.gather(apart.run(User.objects.exists), return_exceptions=True)

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

    async def main(apart: Apart) -> Any:
        slow = asyncio.create_task(apart.run(piece))
        await asyncio.to_thread(begun.wait, 10)
        apart.hang_up()
        go_on.set()
        (failed,) = await asyncio.gather(slow, return_exceptions=True)
        return failed

    assert in_loop(main) is not None
    assert not User.objects.exists()

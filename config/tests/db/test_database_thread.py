"""Database work of a worker: gathered, one thread, split when one item spoils a batch, patient when it is away."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import OperationalError, connection

from config.db import database_thread, gathering
from config.db.database_thread import Database
from config.db.gathering import WhileTheyCome

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

PATIENCE_SECONDS = 10


def in_loop(main: Any, gather_seconds: float = 0.0) -> Any:
    async def run() -> Any:
        database = Database(WhileTheyCome(lambda: gather_seconds))
        try:
            return await main(database)
        finally:
            await database.close()

    return asyncio.run(run())


def test_items_that_come_together_are_done_together_in_one_thread() -> None:
    batches: list[int] = []
    threads: set[int] = set()

    def double(items: Sequence[int]) -> list[int | Exception]:
        batches.append(len(items))
        threads.add(threading.get_ident())
        return [item * 2 for item in items]

    async def main(database: Database) -> list[int]:
        return await asyncio.gather(*[database.submit(double, number) for number in range(250)])

    assert in_loop(main) == [number * 2 for number in range(250)]
    assert batches == [100, 100, 50]
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_an_exception_that_is_a_result_is_raised_for_its_item_only() -> None:
    def check(items: Sequence[int]) -> list[int | Exception]:
        return [ValueError("odd") if item % 2 else item for item in items]

    async def main(database: Database) -> list[Any]:
        return await asyncio.gather(*[database.submit(check, number) for number in range(3)], return_exceptions=True)

    zero, one, two = in_loop(main)
    assert (zero, two) == (0, 2)
    assert isinstance(one, ValueError)


def test_an_item_that_spoils_its_batch_fails_alone() -> None:
    def invert(items: Sequence[int]) -> list[float | Exception]:
        return [1 / item for item in items]

    async def main(database: Database) -> list[Any]:
        return await asyncio.gather(*[database.submit(invert, number) for number in (1, 0, 2)], return_exceptions=True)

    one, zero, two = in_loop(main)
    assert (one, two) == (1.0, 0.5)
    assert isinstance(zero, ZeroDivisionError)


def test_a_database_that_comes_back_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_thread, "RECONNECT_SECONDS", 0.01)
    calls = 0

    def away_twice(items: Sequence[int]) -> list[int | Exception]:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise OperationalError("server closed the connection")
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return list(items)

    async def main(database: Database) -> list[int]:
        return await asyncio.gather(*[database.submit(away_twice, number) for number in range(3)])

    assert in_loop(main) == [0, 1, 2]
    assert calls == 3


def test_a_database_that_stays_away_fails_all_of_a_batch_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_thread, "RECONNECT_SECONDS", 0.001)

    def away(items: Sequence[int]) -> list[int | Exception]:
        raise OperationalError("away")

    async def main(_: Database) -> list[Any]:
        database = Database(patience_seconds=0.02)
        ended = await asyncio.gather(*[database.submit(away, number) for number in range(3)], return_exceptions=True)
        await database.close()
        return ended

    assert [type(error) for error in in_loop(main)] == [OperationalError] * 3


def test_a_cancelled_item_does_not_disturb_its_batch() -> None:
    release = threading.Event()

    def slow(items: Sequence[int]) -> list[int | Exception]:
        release.wait(5)
        return list(items)

    async def main(database: Database) -> Any:
        tasks = [asyncio.create_task(database.submit(slow, number)) for number in range(2)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks[0].cancel()
        release.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    cancelled, done = in_loop(main)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert done == 1


def test_where_many_are_under_way_a_batch_waits_for_company() -> None:
    batches: list[int] = []

    def count(items: Sequence[int]) -> list[int | Exception]:
        batches.append(len(items))
        return list(items)

    async def main(database: Database) -> None:
        async def later(number: int) -> None:
            for _ in range(number):
                await asyncio.sleep(0)
            await database.submit(count, number)

        await asyncio.gather(*[later(number) for number in range(20)])

    in_loop(main, gather_seconds=0.1)
    assert batches == [20]


def test_a_batch_goes_as_soon_as_nothing_comes_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "SHARE", 0.001)

    def same(items: Sequence[int]) -> list[int | Exception]:
        return [*items]

    async def main(database: Database) -> list[int]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await asyncio.gather(*[database.submit(same, number) for number in range(3)])

    assert in_loop(main, gather_seconds=PATIENCE_SECONDS * 2) == [0, 1, 2]

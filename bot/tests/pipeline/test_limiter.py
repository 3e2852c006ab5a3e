"""The limit of messages a minute: a sliding window, in Redis or in memory."""

import asyncio
from typing import Any

import pytest

from bot.pipeline.limiter import Limiter

pytestmark = pytest.mark.database


def hits(limiter: Limiter, *keys: str, per_minute: int = 3, cost: int = 1) -> list[bool]:
    async def run() -> list[bool]:
        try:
            return [await limiter.hit(key, per_minute, cost) for key in keys]
        finally:
            await limiter.close()

    return asyncio.run(run())


def test_a_person_may_send_so_many_messages_and_others_are_not_counted_with_them() -> None:
    assert hits(Limiter(None), *"aaaba") == [True, True, True, True, False]


def test_the_messages_of_a_burst_count_one_by_one() -> None:
    assert hits(Limiter(None), "a", "a", cost=2) == [True, False]


def test_who_waits_a_minute_may_write_again(time_machine: Any) -> None:
    time_machine.move_to(1_000_000_000, tick=False)

    async def run() -> list[bool]:
        limiter = Limiter(None)
        first = [await limiter.hit("a", 1), await limiter.hit("a", 1)]
        time_machine.shift(61)
        return [*first, await limiter.hit("a", 1)]

    assert asyncio.run(run()) == [True, False, True]


def test_a_redis_that_is_away_is_said_once_and_each_process_counts_for_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    nobody_listens = "redis://127.0.0.1:1/0"

    assert hits(Limiter(nobody_listens), *"aaaa") == [True, True, True, False]

    assert [record.message for record in caplog.records] == ["rate_limit_store_lost"]


def test_workers_count_together_in_redis(settings: Any) -> None:
    if not settings.REDIS_URL:
        pytest.skip("REDIS_URL is not set")
    key = f"test {id(object())}"

    assert hits(Limiter(settings.REDIS_URL), key, key) == [True, True]
    assert hits(Limiter(settings.REDIS_URL), key, key) == [True, False]

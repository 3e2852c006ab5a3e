"""Webhooks that come together are written together, and one that comes alone waits for nobody."""

import asyncio
from collections.abc import Sequence
from typing import Any

from bot.batching import Database
from bot.gathering import Crowd

# Nothing here takes long; who waits for a crowd that is not coming waits for this.
LONG_SECONDS = 20.0


def batches_of(main: Any, seconds: float) -> list[int]:
    """Return the sizes of the batches in which `main(submit)` had its items written."""
    sizes: list[int] = []

    def write(items: Sequence[int]) -> list[int]:
        sizes.append(len(items))
        return [*items]

    async def run() -> None:
        database = Database(Crowd(seconds))
        try:
            async with asyncio.timeout(LONG_SECONDS / 2):
                await main(lambda item: database.submit(write, item))
        finally:
            await database.close()

    asyncio.run(run())
    return sizes


def test_those_who_were_answered_together_are_waited_for() -> None:
    async def main(submit: Any) -> None:
        async def one(number: int) -> None:
            for round_ in range(4):
                for _ in range(number * (round_ > 0)):  # they come again one after the other
                    await asyncio.sleep(0)
                await submit(number)

        await asyncio.gather(*[one(number) for number in range(8)])

    assert batches_of(main, LONG_SECONDS) == [8, 8, 8, 8]


def test_who_comes_alone_goes_at_once() -> None:
    async def main(submit: Any) -> None:
        for number in range(3):
            await submit(number)

    assert batches_of(main, LONG_SECONDS) == [1, 1, 1]


def test_a_crowd_that_does_not_come_is_not_waited_for_long_or_again() -> None:
    async def main(submit: Any) -> None:
        await asyncio.gather(*[submit(number) for number in range(5)])
        await submit(5)
        # Whoever comes now is alone, and that is known.
        await asyncio.wait_for(submit(6), LONG_SECONDS / 4)

    assert batches_of(main, 0.01) == [5, 1, 1]

"""Who comes together is waited for, and who comes alone waits for nobody."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from config.db.gathering import LARGEST, Crowd

# Nothing here takes long; who waits for a crowd that is not coming waits for this.
LONG_SECONDS = 20.0


def within(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(LONG_SECONDS / 2):
            await work

    asyncio.run(bounded())


def test_those_who_were_answered_together_are_waited_for() -> None:
    async def main() -> None:
        crowd = Crowd(LONG_SECONDS)
        crowd.went(6, 2)
        waiting = asyncio.create_task(crowd.complete(3))
        for count in (4, 7):
            await asyncio.sleep(0)
            crowd.arrived(count)
            await asyncio.sleep(0)
            assert not waiting.done()
        crowd.arrived(8)
        await waiting

    within(main())


def test_who_comes_alone_goes_at_once() -> None:
    async def main() -> None:
        crowd = Crowd(LONG_SECONDS)
        await crowd.complete(1)
        crowd.went(1, 0)
        await crowd.complete(1)

    within(main())


def test_a_crowd_that_does_not_come_is_not_waited_for_long_or_again() -> None:
    async def main() -> None:
        crowd = Crowd(0.01)
        crowd.went(5, 0)
        await crowd.complete(1)
        crowd.went(1, 0)
        crowd = Crowd(LONG_SECONDS)
        await crowd.complete(1)

    within(main())


def test_no_crowd_is_larger_than_a_batch() -> None:
    async def main() -> None:
        crowd = Crowd(LONG_SECONDS)
        crowd.went(LARGEST, LARGEST)
        await crowd.complete(LARGEST)

    within(main())

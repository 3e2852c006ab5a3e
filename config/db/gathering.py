"""How long what is to be written waits for company: a transaction costs about the same for one item as for ten."""

import asyncio
import time
from collections.abc import Callable

# One transaction of many turns stays short enough that no lease runs out while it waits.
LARGEST = 100
# Not worth the way through the event loop.
LEAST_PAUSE_SECONDS = 0.001
# How much of the time that a batch may wait passes without a new item before it goes.
SHARE = 0.25
# How long a crowd is waited for.
CROWD_SECONDS = 0.002


class Gathering:
    """Wait for nobody: what waits goes at once."""

    async def wait(self, waits: Callable[[], int]) -> None:
        """Return when a batch may go."""

    def went(self, size: int, left: int) -> None:
        """Take note of a batch of so many that is done, and of how many wait for the next one."""


class WhileTheyCome(Gathering):
    """Wait while items come. Once none comes any more, all turns are waiting for this batch."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """Wait no longer than seconds() says, which it says anew for each batch."""
        self._seconds = seconds

    async def wait(self, waits: Callable[[], int]) -> None:
        """Return when a batch may go."""
        longest, before = self._seconds(), 0
        give_up_at = time.monotonic() + longest
        while longest > LEAST_PAUSE_SECONDS and time.monotonic() < give_up_at:
            gathered = waits()
            if gathered == before or gathered >= LARGEST:
                return
            before = gathered
            await asyncio.sleep(longest * SHARE)


class Crowd(Gathering):
    """Wait until as many are there as were the last time: those who were answered are likely to come again.

    They are waited for before they are looked at, not before they are written; what is written tells how many they
    are. Where requests come one by one, none waits.
    """

    def __init__(self, seconds: float = CROWD_SECONDS) -> None:
        """Wait for no crowd longer than so many seconds."""
        self._seconds = seconds
        self._expected = 1
        self._complete: asyncio.Future[None] | None = None

    def went(self, size: int, left: int) -> None:
        """Take note of a batch that is written, and of how many are still to be written."""
        self._expected = min(size + left, LARGEST)

    def arrived(self, count: int) -> None:
        """Take note that so many are there."""
        if self._complete is not None and count >= self._expected:
            end(self._complete)

    async def complete(self, count: int) -> None:
        """Return when those are there who are expected; `count` are."""
        if count >= self._expected:
            return
        loop = asyncio.get_running_loop()
        self._complete = loop.create_future()
        timer = loop.call_later(self._seconds, end, self._complete)
        try:
            await self._complete
        finally:
            self._complete = None
            timer.cancel()


def end(future: asyncio.Future[None]) -> None:
    """End the wait for a future."""
    if not future.done():
        future.set_result(None)

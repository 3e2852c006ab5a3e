"""Gathering policies: how long a batch waits for more items, as a transaction costs the same for one as for ten."""

import asyncio
import time
from collections.abc import Callable

# Keeps a transaction short enough that no lease expires while it waits.
LARGEST = 100
# Shorter pauses are not worth a trip through the event loop.
LEAST_PAUSE_SECONDS = 0.001
# The share of the waiting time that may pass without a new item before the batch runs.
SHARE = 0.25
# How long to wait for a crowd.
CROWD_SECONDS = 0.002


class Gathering:
    """Wait for no further items: a batch runs at once."""

    async def wait(self, waits: Callable[[], int]) -> None:
        """Return when a batch may go."""

    def went(self, size: int, left: int) -> None:
        """Note the size of a finished batch, and how many items are left."""


class WhileTheyCome(Gathering):
    """Wait while items arrive. Once none does, all turns are waiting for this batch."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """Wait seconds() at most, called for each batch."""
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
    """Wait until as many are there as the last time, because clients that were answered are likely to send again.

    Requests wait before they are processed, not before they are written; the size of written batches is the expected
    number. Requests that come one by one do not wait.
    """

    def __init__(self, seconds: float = CROWD_SECONDS) -> None:
        """Wait so many seconds at most."""
        self._seconds = seconds
        self._expected = 1
        self._complete: asyncio.Future[None] | None = None

    def went(self, size: int, left: int) -> None:
        """Note the size of a written batch, and how many items are left."""
        self._expected = min(size + left, LARGEST)

    def arrived(self, count: int) -> None:
        """Note that so many are there."""
        if self._complete is not None and count >= self._expected:
            end(self._complete)

    async def complete(self, count: int) -> None:
        """Return when the expected number is there; `count` are."""
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

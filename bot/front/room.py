"""Bound what bodies and answers hold in memory together: where there is no room, the slowest gives way."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, TypeVar

from bot.errors import AppError
from bot.front.limits import busy

Result = TypeVar("Result")

CROWDED = "too much is on its way, try again later"
SWEEP_SECONDS = 1.0
# When somebody was due whose time is over: never again.
OVERDUE = float("inf")


class Held:
    """What one request holds of a room: so many bytes, until it is complete, ends, or has to give way."""

    __slots__ = ("_timeout", "gave_way", "overdue_at", "size", "task")

    def __init__(self) -> None:
        self.size = 0
        self.gave_way = False
        self._timeout: asyncio.Timeout | None = None
        # Of one whose task is looked after by its room.
        self.overdue_at = 0.0
        self.task: asyncio.Task[Any] | None = None

    def within(self, seconds: float) -> asyncio.Timeout:
        """Return the timeout of the block that waits for the other end; giving way ends it early."""
        self._timeout = asyncio.timeout(0 if self.gave_way else seconds)
        return self._timeout

    def give_way(self) -> None:
        """End its wait now."""
        self.size, self.gave_way = 0, True
        if self._timeout is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time())
        elif self.task is not None:
            self.task.cancel()


class Room:
    """So many requests and bytes at once. Requests of different kinds have rooms of their own.

    Without room the one that has been on its way for longest gives way: who lets requests hang takes room from their
    own, and one that is sent or read at once is over before it is the oldest.
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        self.most, self.most_bytes = most, most_bytes
        self.used = 0
        # In the order in which they came; `_large` are those that hold something.
        self._under_way: dict[Held, None] = {}
        self._large: dict[Held, None] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    def begin(self) -> Held:
        """Return what another request holds: nothing yet."""
        if len(self._under_way) >= self.most:
            self._push_out(next(iter(self._under_way)))
        held = Held()
        self._under_way[held] = None
        return held

    async def small(self, held: Held, work: Awaitable[Result], seconds: float) -> Result:
        """Return what work gives, within so many seconds and one more.

        A timer for each of thousands of requests a second costs more than the rest of reading a body: one looks after
        all of them.

        Raises:
            TimeoutError: it took longer, or had to give way.
        """
        held.overdue_at, held.task = time.monotonic() + seconds, asyncio.current_task()
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)
        try:
            return await work
        except asyncio.CancelledError:
            task = held.task
            if task is None or not (held.gave_way or held.overdue_at == OVERDUE) or task.uncancel():
                raise
            raise TimeoutError from None
        finally:
            held.task = None

    def _sweep(self) -> None:
        now = time.monotonic()
        for held in self._under_way:
            if held.task is not None and held.overdue_at <= now:
                held.overdue_at = OVERDUE
                held.task.cancel()
        waits = any(held.task is not None for held in self._under_way)
        self._sweeping = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep) if waits else None

    def hold(self, held: Held, size: int) -> None:
        """Hold so many bytes more.

        Raises:
            AppError: BUSY, it had to give way.
        """
        self._large.setdefault(held)
        while self.used + size > self.most_bytes and not held.gave_way:
            self._push_out(next(iter(self._large)))
        if held.gave_way:
            raise self.crowded()
        self.used += size
        held.size += size

    def keep(self, held: Held) -> None:
        """Let it give way no more: it is complete."""
        self._under_way.pop(held, None)
        self._large.pop(held, None)

    def end(self, held: Held) -> None:
        """Let it hold nothing any more; twice is once."""
        self.keep(held)
        self.used -= held.size
        held.size = 0

    @staticmethod
    def crowded() -> AppError:
        """Return what is answered to a request that gave way."""
        return busy(CROWDED)

    def _push_out(self, held: Held) -> None:
        self.end(held)
        held.give_way()

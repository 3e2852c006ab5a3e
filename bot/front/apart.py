"""Parse large bodies in a process of their own: taking one apart would hold up the whole event loop."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from bot.channels.connection import Account
from bot.channels.events import Event, InvalidBody
from bot.channels.registry import get_channel
from bot.errors import AppError, ErrorCode
from bot.front.child import begin
from bot.front.limits import Bound

if TYPE_CHECKING:  # the child imports this module, and has no models
    from bot.queue.snapshot import ActiveBot

LARGE_BYTES = 256 * 1024
# Providers send hardly any; the process ends when none came for a while.
IDLE_SECONDS = 60.0
MOST_WAITING = 20


class Parser:
    """One child process, started by the first large body."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._waiting = Bound(MOST_WAITING, "large deliveries")
        self._ending: asyncio.TimerHandle | None = None

    async def parse(self, bot: ActiveBot, body: bytes) -> Sequence[Event]:
        """Return the events of a genuine body.

        Raises:
            AppError: INVALID_INPUT, it is not the channel's format, or BUSY, too many wait.
        """
        with self._waiting.held():
            try:
                return await asyncio.get_running_loop().run_in_executor(
                    self._own_pool(), parse, bot.channel.slug, bot.account, body
                )
            except InvalidBody as error:
                raise AppError(ErrorCode.INVALID_INPUT, str(error)) from error
            except BrokenProcessPool:
                self.close()
                raise AppError(ErrorCode.BUSY, "the body could not be read, try again later", retryable=True) from None
            finally:
                self._end_later()

    def close(self) -> None:
        """End the process."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _own_pool(self) -> ProcessPoolExecutor:
        if self._ending is not None:
            self._ending.cancel()
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            # Before anything of ours is imported: it arrives with what is to be parsed.
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=begin)
        return self._pool

    def _end_later(self) -> None:
        if self._waiting.used == 1:  # this one
            self._ending = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.close)


def parse(channel: str, account: Account, body: bytes) -> Sequence[Event]:
    """Return the events of a body, in the child.

    Raises:
        InvalidBody: it is not the channel's format.
    """
    return get_channel(channel).parse(account, body)

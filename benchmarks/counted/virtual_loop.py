"""Run an event loop whose clock is its own, and whose threads are none, so that the same work is the same each time."""

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any


class VirtualSelector(selectors.DefaultSelector):
    """A selector that passes the time instead of waiting it out; `now` is the virtual time in seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready at once; with nothing ready, let `timeout` pass."""
        if timeout is None:
            # Only something from outside could end it, such as an answer of a thread that is not ours.
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time that calls what is meant for a thread at once.

    A pause costs no instruction then, and what gathers in it does not depend on how fast the machine is.
    """

    def __init__(self) -> None:
        self._virtual = VirtualSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Return the virtual time."""
        return self._virtual.now

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> "asyncio.Future[Any]":
        """Call func(*args) here and now, and return a future of what came of it."""
        future = self.create_future()
        # As in a thread of its own, where no loop runs: Django keeps another connection for each context of a loop.
        asyncio._set_running_loop(None)
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        finally:
            asyncio._set_running_loop(self)
        return future


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in virtual time, which time.monotonic() tells as well: what has grown old is read again."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        time.monotonic = runner.get_loop().time
        runner.run(work)

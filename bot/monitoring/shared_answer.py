"""One answer for everybody who asks at about the same time: a burst of probes costs one."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class SharedAnswer(Generic[Answer]):
    """The latest answer to a question, kept for some seconds. One thread asks, the others take what there is."""

    def __init__(self, fresh_seconds: float) -> None:
        self.fresh_seconds = fresh_seconds
        self._lock = threading.Lock()
        self._latest: tuple[Answer, float] | None = None

    def get(self, ask: Callable[[], Answer]) -> Answer | None:
        """Return an answer; None when another thread is asking for the very first one.

        Raises:
            Exception: what ask() raised; nothing is kept of that.
        """
        latest = self._latest
        if latest and time.monotonic() - latest[1] < self.fresh_seconds:
            return latest[0]
        if not self._lock.acquire(blocking=False):
            return latest[0] if latest else None
        try:
            answer = ask()
            self._latest = answer, time.monotonic()
            return answer
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Ask anew the next time."""
        self._latest = None

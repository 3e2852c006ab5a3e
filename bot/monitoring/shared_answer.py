"""Cache of one answer for concurrent requests, so that a burst of probes costs one."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class SharedAnswer(Generic[Answer]):
    """The latest answer, cached for some seconds. One thread refreshes it, others use the cached one."""

    def __init__(self, fresh_seconds: float) -> None:
        self.fresh_seconds = fresh_seconds
        self._lock = threading.Lock()
        self._latest: tuple[Answer, float] | None = None

    def get(self, ask: Callable[[], Answer]) -> Answer | None:
        """Return an answer; None while another thread is fetching the very first one.

        Raises:
            Exception: what ask() raised; it is not cached.
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
        """Invalidate the cached answer."""
        self._latest = None

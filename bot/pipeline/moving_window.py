"""Moving-window counter in this process's memory."""

import time
from collections import deque

SWEEP_SECONDS = 60.0


class MovingWindows:
    """The times of hits, the oldest first, for each key with its limit and length."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, int, int], deque[float]] = {}
        self._swept_at = time.monotonic()

    def __len__(self) -> int:
        return len(self._times)

    def hit(self, key: str, most: int, minutes: int, cost: int = 1) -> bool:
        """Count `cost` hits if they are within the limit, and return whether they are."""
        if time.monotonic() - self._swept_at > SWEEP_SECONDS:
            # Sweep, or keys that were hit once would stay for ever.
            self._swept_at = time.monotonic()
            self._times = {window: times for window in self._times if (times := self._within(window))}
        times = self._within(window := (key, most, minutes))
        if len(times) + cost > most:
            return False
        times.extend([time.time()] * cost)
        self._times[window] = times
        return True

    def stats(self, key: str, most: int, minutes: int) -> tuple[float, int]:
        """Return when the oldest hit leaves the window (Unix time), and how many more hits fit now."""
        times = self._within((key, most, minutes))
        return (times[0] if times else time.time()) + minutes * 60, most - len(times)

    def _within(self, window: tuple[str, int, int]) -> deque[float]:
        times, begins = self._times.get(window) or deque(), time.time() - window[2] * 60
        while times and times[0] < begins:
            times.popleft()
        return times

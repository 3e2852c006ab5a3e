"""Watch the memory of processes for a while."""

import time
from collections.abc import Sequence

from benchmarks.machine import memory_mb

EVERY_SECONDS = 0.5


def peak_while(seconds: float, pids: Sequence[int]) -> list[float]:
    """Wait so long, and return the most memory each process had meanwhile, its children included, in MB."""
    peaks = [0.0] * len(pids)
    stop_at = time.monotonic() + seconds
    while time.monotonic() < stop_at:
        peaks = [max(peak, memory_mb(pid)) for peak, pid in zip(peaks, pids, strict=True)]
        time.sleep(EVERY_SECONDS)
    return peaks

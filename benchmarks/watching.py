"""Watch the memory of processes for a while."""

import time
from collections.abc import Sequence

from benchmarks.machine import memory_mb

EVERY_SECONDS = 0.5


def memory_while(seconds: float, pids: Sequence[int]) -> list[tuple[float, ...]]:
    """Wait so long, and return (second, MB of each process with its children …) again and again."""
    began = time.monotonic()
    found: list[tuple[float, ...]] = []
    while (passed := time.monotonic() - began) < seconds:
        found.append((passed, *(memory_mb(pid) for pid in pids)))
        time.sleep(EVERY_SECONDS)
    return found


def peaks(memory: Sequence[tuple[float, ...]]) -> list[float]:
    """Return the most of each process."""
    return [max(values) for values in list(zip(*memory, strict=True))[1:]]

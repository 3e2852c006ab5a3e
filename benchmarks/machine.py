"""What the kernel says about processes (/proc), and what this machine is."""

import os
import platform
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.figures import BenchmarkError

TICKS = os.sysconf("SC_CLK_TCK")
POLL_SECONDS = 0.02


def wait_until(condition: Callable[[], bool], seconds: float, what: str, poll: float = POLL_SECONDS) -> None:
    """Return as soon as the condition holds.

    Raises:
        BenchmarkError: it did not within that time.
    """
    give_up_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up_at:
            raise BenchmarkError(f"{what}: not within {seconds:g} s")
        time.sleep(poll)


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of a process and its living descendants so far."""
    stats = _stats()
    family: set[int] = set()
    found = {pid}
    while found:
        family |= found
        found = {child for child, (parent, _) in stats.items() if parent in family} - family
    return sum(stats[member][1] for member in family if member in stats) / TICKS


def peak_memory_mb(pid: int) -> float:
    """Return the largest resident set the process ever had (VmHWM), in units of 1,000,000 bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise BenchmarkError("the kernel does not report VmHWM")


def facts() -> dict[str, Any]:
    """Return what a reader of the figures has to know about the machine."""
    models = [line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": models[0] if models else platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _stats() -> dict[int, tuple[int, int]]:
    """Return (parent, clock ticks used) of every process."""
    stats = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name in parentheses may hold anything, also spaces.
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        stats[int(entry.parent.name)] = (int(fields[1]), int(fields[11]) + int(fields[12]))
    return stats


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()

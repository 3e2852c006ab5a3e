"""What the kernel says about processes (/proc), and what this machine is."""

import os
import platform
import resource
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
    """Return the user and system time of a process and all its descendants so far, ended ones included."""
    stats = _stats()
    return sum(stats[member][1] for member in _family(pid, stats)) / TICKS


def memory_mb(pid: int) -> float:
    """Return the resident sets of a process and its living descendants together, in units of 1,000,000 bytes."""
    return sum(_status_mb(member, "VmRSS") for member in _family(pid, _stats()))


def peak_memory_mb(pid: int) -> float:
    """Return the largest resident set the process ever had (VmHWM), in units of 1,000,000 bytes."""
    return _status_mb(pid, "VmHWM")


def allow_files(wanted: int) -> int:
    """Let this process and those it starts have so many files open, as far as allowed; return how many that are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(wanted, hard)))
        except (ValueError, OSError):  # only root may raise the hard limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


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


def _family(pid: int, stats: dict[int, tuple[int, int]]) -> set[int]:
    """Return a process and its living descendants."""
    family: set[int] = set()
    found = {pid} & stats.keys()
    while found:
        family |= found
        found = {child for child, (parent, _) in stats.items() if parent in family} - family
    return family


def _status_mb(pid: int, name: str) -> float:
    try:
        lines = _lines(f"/proc/{pid}/status")
    except OSError:  # it ended meanwhile
        return 0.0
    for line in lines:
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise BenchmarkError(f"the kernel does not report {name}")


def _stats() -> dict[int, tuple[int, int]]:
    """Return (parent, clock ticks used by it and the children it has waited for) of every process."""
    stats = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name in parentheses may hold anything, also spaces.
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        stats[int(entry.parent.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    return stats


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()

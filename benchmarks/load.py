"""Load a running web server with signed webhooks from processes of their own, and say what came of it."""

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.databases import Database
from benchmarks.machine import cpu_seconds
from benchmarks.payloads import WEBHOOK_PATH
from benchmarks.processes import Running, environment, python

CONNECTIONS = 16
COLUMNS = ("requests/s", "p50 ms", "p95 ms", "p99 ms", "server CPU ms", "generator CPU ms")
RATE, P95, P99, CPU = 0, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Contender:
    """A running server, and the table it stores messages in."""

    name: str
    server: Running
    database: Database
    table: str


def play(
    contender: Contender, label: str, seconds: float, connections: int = CONNECTIONS
) -> tuple[list[float], list[str]]:
    """Load one server for one round and return its figures (COLUMNS), and what is wrong: each 200 must be a row."""
    before = contender.database.count(contender.table)
    cpu = cpu_seconds(contender.server.pid)
    words = {
        "port": contender.server.port,
        "path": WEBHOOK_PATH,
        "prefix": f"{contender.name.split()[0]}{label}",
        "connections": connections,
        "seconds": seconds,
    }
    said = told("generator", words, seconds + 60)
    cpu = cpu_seconds(contender.server.pid) - cpu
    accepted = said["statuses"].get("200", 0)
    answered = sum(said["statuses"].values())
    p50, p95, p99, _ = said["milliseconds"]
    each = 1_000 / answered
    figures = [accepted / said["seconds"], p50, p95, p99, cpu * each, said["cpu_seconds"] * each]
    return figures, wrong(contender, said["statuses"], contender.database.count(contender.table) - before)


def wrong(contender: Contender, statuses: dict[str, int], stored: int) -> list[str]:
    """Return what is wrong: anything but 200, or a 200 without its row."""
    accepted = statuses.get("200", 0)
    problems = []
    if others := sum(statuses.values()) - accepted:
        problems.append(f"{contender.name}: {others} requests were not answered with 200: {statuses}")
    if stored != accepted:
        problems.append(f"{contender.name}: {accepted} requests were answered with 200, {stored} rows were stored")
    return problems


def told(module: str, words: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Run a module of benchmarks with options to its end and return what it printed."""
    options = [
        word
        for name, value in words.items()
        for each in (value if isinstance(value, list) else [value])
        for word in (f"--{name}", str(each))
    ]
    answer: dict[str, Any] = json.loads(
        python("-m", f"benchmarks.{module}", *options, env=environment(), seconds=seconds)
    )
    return answer


@contextmanager
def meanwhile(module: str, stop: Path, words: dict[str, Any], limit: float) -> Iterator[dict[str, Any]]:
    """Run a module of benchmarks that goes on until the file `stop` exists while a block runs.

    What it printed is in the dictionary when the block has ended. limit: seconds after which it is given up.
    """
    found: dict[str, Any] = {}
    with ThreadPoolExecutor(1) as pool:
        said: Future[dict[str, Any]] = pool.submit(told, module, {**words, "stop": stop}, limit)
        try:
            yield found
        finally:
            stop.touch()
    found.update(said.result())


@contextmanager
def paced(contender: Contender, label: str, rate: float, limit: float, **more: Any) -> Iterator[dict[str, Any]]:
    """Send webhooks at a rate while a block runs (benchmarks.paced says what is found)."""
    stop = contender.server.log.with_name(f"stop-{label}")
    words = {"port": contender.server.port, "path": WEBHOOK_PATH, "prefix": label, "rate": rate, **more}
    with meanwhile("paced", stop, words, limit) as found:
        yield found

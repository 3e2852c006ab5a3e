"""Webhooks at a steady rate, a process of its own: `python -m benchmarks.paced --port … --path … --prefix … --stop …`.

Each is due at a fixed moment and timed from it, so that an answer that is late makes those behind it late as well, if
they find no free connection. It goes on until the file --stop exists, or for --seconds. Prints one JSON object:
`statuses` (how often which), the latencies in `milliseconds` (p50, p99, longest), and with --window the same of each
window: `windows`, with `second` (its begin), `count`, `p50`, `p95` and `p99`.
"""

import argparse
import json
import selectors
import sys
import time
from collections import Counter, deque
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.figures import percentile
from benchmarks.generator import Connection
from benchmarks.payloads import body, request

LOOK_SECONDS = 0.05


def main() -> None:
    """Read the command line, send, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paced", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--prefix", required=True, help="what makes this round's message ids distinct")
    parser.add_argument("--rate", type=float, default=50.0, help="webhooks a second")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--stop", type=Path)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--window", type=float, default=0.0, help="seconds of a window")
    options = parser.parse_args()
    pacer = Pacer(options)
    pacer.run()
    latencies = [milliseconds for _, milliseconds in pacer.answered]
    windows = pacer.windows(options.window) if options.window else []
    told = {"statuses": pacer.statuses, "milliseconds": [percentile(latencies, p) for p in (50, 99, 100)]}
    json.dump({**told, "windows": windows}, sys.stdout)


class Pacer:
    """Sends what is due over the connections that are free."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.statuses: Counter[int] = Counter()
        # (seconds since the begin when it was due, milliseconds it took)
        self.answered: list[tuple[float, float]] = []
        self._numbers = count()
        self._free = deque(Connection(options.port) for _ in range(options.connections))
        self._due: dict[Connection, float] = {}
        self._selector = selectors.DefaultSelector()
        for connection in self._free:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        self._began = 0.0

    def run(self) -> None:
        """Send until it is time to stop, and wait for what is still to be answered."""
        self._began = time.perf_counter()
        sent = 0
        looked = self._began
        while True:
            now = time.perf_counter()
            if now - looked > LOOK_SECONDS:
                looked = now
                if self.options.stop is not None and self.options.stop.exists():
                    break
            if now - self._began > self.options.seconds:
                break
            due = self._began + sent / self.options.rate
            if self._free and due <= now:
                self._send(due)
                sent += 1
                continue
            self._receive(min(LOOK_SECONDS, max(0.0, due - now)) if self._free else LOOK_SECONDS)
        while self._due:
            self._receive(None)

    def _send(self, due: float) -> None:
        connection = self._free.popleft()
        number = next(self._numbers)
        content = body(f"wamid.{self.options.prefix}.{number}", number % self.options.people, int(time.time()))
        self._due[connection] = due
        connection.send(request(self.options.path, content))

    def _receive(self, seconds: float | None) -> None:
        for key, _ in self._selector.select(seconds):
            connection: Connection = key.data
            status = connection.receive()
            if status is not None:
                due = self._due.pop(connection)
                self.answered.append((due - self._began, (time.perf_counter() - due) * 1_000))
                self.statuses[status] += 1
                self._free.append(connection)

    def windows(self, seconds: float) -> list[dict[str, Any]]:
        """Return the figures of each window, in their order."""
        grouped: dict[int, list[float]] = {}
        for due, milliseconds in self.answered:
            grouped.setdefault(int(due // seconds), []).append(milliseconds)
        return [
            {
                "second": number * seconds,
                "count": len(found),
                **{f"p{percent}": percentile(found, percent) for percent in (50, 95, 99)},
            }
            for number, found in sorted(grouped.items())
        ]


if __name__ == "__main__":
    main()

"""Clients that ask for pages again and again, a process of its own: `python -m benchmarks.page_load --port … --page …`.

Each connection asks for the next page when it has the one before, for --seconds or until the file --stop exists. Prints
one JSON object: `statuses`, `seconds`, and `milliseconds` (p50, p95, p99, longest).
"""

import argparse
import json
import sys
import time
from itertools import cycle
from pathlib import Path

from benchmarks.figures import percentile
from benchmarks.generator import Connection, drive


def main() -> None:
    """Read the command line, ask, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page_load", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--page", action="append", required=True)
    parser.add_argument("--cookie", default="")
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--stop", type=Path)
    options = parser.parse_args()
    requests = cycle([request(page, options.cookie) for page in options.page])
    connections = [Connection(options.port) for _ in range(options.connections)]
    began = time.perf_counter()

    def goes_on(now: float) -> bool:
        return now < began + options.seconds and not (options.stop and options.stop.exists())

    statuses, latencies = drive(connections, requests, goes_on)
    times = [percentile(latencies, percent) * 1_000 for percent in (50, 95, 99, 100)]
    json.dump({"statuses": statuses, "seconds": time.perf_counter() - began, "milliseconds": times}, sys.stdout)


def request(page: str, cookie: str) -> bytes:
    """Return the request for a page on a connection kept alive."""
    head = f"GET {page} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\nAccept-Language: en\r\n"
    return f"{head}Cookie: {cookie}\r\n\r\n".encode()


if __name__ == "__main__":
    main()

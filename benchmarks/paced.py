"""Webhooks at a steady rate, a process of its own: `python -m benchmarks.steady --port … --path … --prefix … --stop …`.

Each is due at a fixed moment and timed from it, so that an answer that is late makes those behind it late as well. It
goes on until the file --stop exists. Prints one JSON object: `statuses` (how often which), and the latencies in
`milliseconds` (p50, p99, longest).
"""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.figures import percentile
from benchmarks.generator import Connection
from benchmarks.payloads import body, request


def main() -> None:
    """Read the command line, send, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steady", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--prefix", required=True, help="what makes this round's message ids distinct")
    parser.add_argument("--rate", type=float, default=50.0, help="webhooks a second")
    parser.add_argument("--stop", type=Path, required=True)
    options = parser.parse_args()
    connection = Connection(options.port)
    statuses: Counter[int] = Counter()
    latencies = []
    due = time.perf_counter()
    while not options.stop.exists():
        number = len(latencies)
        content = request(options.path, body(f"wamid.{options.prefix}.{number}", number % 1_000, int(time.time())))
        time.sleep(max(0.0, due - time.perf_counter()))
        connection.send(content)
        while (status := connection.receive()) is None:
            pass
        latencies.append((time.perf_counter() - due) * 1_000)
        statuses[status] += 1
        due += 1 / options.rate
    json.dump({"statuses": statuses, "milliseconds": [percentile(latencies, p) for p in (50, 99, 100)]}, sys.stdout)


if __name__ == "__main__":
    main()

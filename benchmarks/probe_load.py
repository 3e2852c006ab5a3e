"""Ask for paths at a steady pace, a process of its own: `python -m benchmarks.probe_load --path /healthz --port …`.

Each question has a connection of its own, as a load balancer's. It goes on until the file --stop exists. Prints one
JSON object: `statuses` (how often which; 0 for no answer), and `milliseconds` (p50, p99, longest).
"""

import argparse
import http.client
import json
import sys
import time
from collections import Counter
from itertools import cycle
from pathlib import Path

from benchmarks.figures import percentile

SECONDS = 30


def main() -> None:
    """Read the command line, ask, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probe_load", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", action="append", required=True)
    parser.add_argument("--cookie", default="")
    parser.add_argument("--rate", type=float, default=10.0)
    parser.add_argument("--stop", type=Path, required=True)
    options = parser.parse_args()
    statuses: Counter[int] = Counter()
    latencies = []
    due = time.perf_counter()
    for path in cycle(options.path):
        if options.stop.exists():
            break
        time.sleep(max(0.0, due - time.perf_counter()))
        statuses[ask(options.port, path, options.cookie)] += 1
        latencies.append((time.perf_counter() - due) * 1_000)
        # One at a time: what is late makes no crowd behind it.
        due = max(due + 1 / options.rate, time.perf_counter())
    json.dump({"statuses": statuses, "milliseconds": [percentile(latencies, p) for p in (50, 99, 100)]}, sys.stdout)


def ask(port: int, path: str, cookie: str) -> int:
    """Return the status of a GET, 0 where no answer comes."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        client.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        answer = client.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        client.close()


if __name__ == "__main__":
    main()

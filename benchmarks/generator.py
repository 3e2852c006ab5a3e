"""A cheap load generator, a process of its own: `python -m benchmarks.generator --port 8000 --path /webhooks/… …`.

Each of its connections is kept alive and sends the next request when the last was answered. Requests are made before
the clock runs, each with a message id of its own; nothing of an answer is looked at but its status and its end. Prints
one JSON object: `statuses` (how often which), `seconds` (from the first request to the last answer), `milliseconds`
(p50, p95, p99, longest) and its own `cpu_seconds`.
"""

import argparse
import json
import re
import selectors
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

from benchmarks.figures import BenchmarkError, percentile
from benchmarks.payloads import body, request

PEOPLE = 1_000
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked\r\n", re.IGNORECASE)
LAST_CHUNK = b"0\r\n\r\n"
ANSWER_SECONDS = 20.0


class Connection:
    """One kept-alive connection with at most one request on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.began = 0.0

    def send(self, content: bytes) -> None:
        """Send a request."""
        self.received = b""
        self.began = time.perf_counter()
        self.socket.sendall(content)

    def receive(self) -> int | None:
        """Read what is there; return the status once the answer is complete.

        Raises:
            BenchmarkError: the connection was closed, or the answer is none.
        """
        piece = self.socket.recv(65_536)
        if not piece:
            raise BenchmarkError("the server closed a connection")
        self.received += piece
        head, separator, content = self.received.partition(b"\r\n\r\n")
        if not separator:
            return None
        return int(head[9:12]) if is_complete(head + b"\r\n", content) else None


def is_complete(head: bytes, content: bytes) -> bool:
    """Return whether a body has arrived in full.

    Raises:
        BenchmarkError: the head does not say where the body ends.
    """
    length = LENGTH.search(head)
    if length is not None:
        return len(content) >= int(length[1])
    if CHUNKED.search(head) is None:
        raise BenchmarkError("an answer has neither a length nor chunks")
    return content.endswith(LAST_CHUNK)


def drive(
    connections: list[Connection], requests: Iterator[bytes], goes_on: Callable[[float], bool]
) -> tuple[Counter[int], list[float]]:
    """Send requests, wait for every answer, and return the statuses and the latencies in seconds.

    goes_on(time.perf_counter()) says whether another request is to be sent.

    Raises:
        BenchmarkError: the server stopped answering.
    """
    statuses: Counter[int] = Counter()
    latencies: list[float] = []
    selector = selectors.DefaultSelector()
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    for connection in connections:
        connection.send(next(requests))
    open_requests = len(connections)
    while open_requests:
        ready = selector.select(ANSWER_SECONDS)
        if not ready:
            raise BenchmarkError(f"no answer within {ANSWER_SECONDS:g} s")
        for key, _ in ready:
            connection = key.data
            status = connection.receive()
            if status is None:
                continue
            now = time.perf_counter()
            latencies.append(now - connection.began)
            statuses[status] += 1
            following = next(requests, None) if goes_on(now) else None
            if following is None:
                open_requests -= 1
            else:
                connection.send(following)
    return statuses, latencies


def main() -> None:
    """Read the command line, make the requests, send them, and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generator", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--prefix", required=True, help="what makes this round's message ids distinct")
    parser.add_argument("--connections", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--most-per-second", type=int, default=12_000, help="for how many requests are made")
    options = parser.parse_args()
    timestamp = int(time.time())
    made = [
        request(options.path, body(f"wamid.{options.prefix}.{number}", number % PEOPLE, timestamp))
        for number in range(int(options.seconds * options.most_per_second) + options.connections)
    ]
    connections = [Connection(options.port) for _ in range(options.connections)]
    cpu, began = time.process_time(), time.perf_counter()
    statuses, latencies = drive(connections, iter(made), lambda now: now < began + options.seconds)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    result = {
        "statuses": statuses,
        "seconds": seconds,
        "milliseconds": [percentile(latencies, percent) * 1_000 for percent in (50, 95, 99, 100)],
        "cpu_seconds": cpu,
    }
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()

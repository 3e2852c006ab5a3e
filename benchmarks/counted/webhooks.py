"""Deliver webhooks to the application that the web process serves, called in this process."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from multidict import CIMultiDict

from benchmarks.counted.virtual_loop import run
from benchmarks.payloads import WEBHOOK_PATH, body, signature
from bot.front.application import Front

# So many are on their way at once, as benchmarks.parts.ack has connections.
AT_ONCE = 16
PEOPLE = 100


class Request:
    """What granian gives an RSGI application of a request: its head, its body, and the way to its answer."""

    proto, http_version, scheme, method = "http", "1.1", "http", "POST"
    client, path, query_string, authority = "127.0.0.1:50000", WEBHOOK_PATH, "", "127.0.0.1"
    statuses: Counter[int] = Counter()

    def __init__(self, number: int) -> None:
        self.body = body(f"wamid.counted{number:06d}", number % PEOPLE, int(time.time()))
        self.headers = CIMultiDict(
            {
                "host": "127.0.0.1",
                "content-type": "application/json",
                "content-length": str(len(self.body)),
                "x-hub-signature-256": signature(self.body),
            }
        )

    async def __call__(self) -> bytes:
        """Return the body."""
        return self.body

    def response_bytes(self, status: int, headers: Any, content: bytes) -> None:
        """Count an answer."""
        Request.statuses[status] += 1


def deliver(parts: Sequence[int], begin: Callable[[int], None]) -> None:
    """Deliver webhooks with a message each, part by part; begin(number) is called before each part and after all."""
    requests = iter([Request(number) for number in range(sum(parts))])
    run(_deliver([[next(requests) for _ in range(size)] for size in parts], begin))


async def _deliver(parts: list[list[Request]], begin: Callable[[int], None]) -> None:
    front: Any = Front()
    await front.begin()
    for number, requests in enumerate(parts):
        begin(number)
        for first in range(0, len(requests), AT_ONCE):
            together = requests[first : first + AT_ONCE]
            await asyncio.gather(*(front.__rsgi__(request, request) for request in together))
    begin(len(parts))
    await front.close()
    if Request.statuses != {200: sum(map(len, parts))}:
        raise SystemExit(f"the webhooks were answered with {dict(Request.statuses)}")

"""Deliver webhooks to the application that the web process serves, called in this process."""

import io
import time
from collections.abc import Callable, Sequence
from typing import Any
from wsgiref.util import setup_testing_defaults

from benchmarks.payloads import WEBHOOK_PATH, body, signature
from config.wsgi import answer


def deliver(parts: Sequence[int], begin: Callable[[int], None]) -> None:
    """Deliver webhooks with a message each, part by part; begin(number) is called before each part."""
    made = [made_request(number) for number in range(sum(parts))]
    requests = iter(made)
    for number, size in enumerate(parts):
        begin(number)
        for _ in range(size):
            ask(next(requests))
    begin(len(parts))


def made_request(number: int) -> dict[str, Any]:
    content = body(f"wamid.counted{number:06d}", number % 100, int(time.time()))
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST", "PATH_INFO": WEBHOOK_PATH, "CONTENT_LENGTH": str(len(content)),
        "HTTP_HOST": "localhost", "REMOTE_ADDR": "127.0.0.1", "HTTP_X_HUB_SIGNATURE_256": signature(content),
        "wsgi.input": io.BytesIO(content),
    }
    setup_testing_defaults(environ)
    return environ


def ask(environ: dict[str, Any]) -> None:
    heads: list[str] = []
    chunks: Any = answer(environ, lambda status, headers, exc_info=None: heads.append(status))
    b"".join(chunks)
    chunks.close()
    if heads != ["200 OK"]:
        raise SystemExit(f"a webhook was answered {heads}")

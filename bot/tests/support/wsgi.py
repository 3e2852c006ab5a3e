"""Requests to the real WSGI application, as a server makes them, with the connection of the test."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from config.wsgi import answer


@dataclass(frozen=True)
class Answer:
    """What the application answered: header names in lower case."""

    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        """Return what it says to a machine."""
        return json.loads(self.text)


@contextmanager
def _keeping_the_connection() -> Iterator[None]:
    """Keep a request from closing the connection of the test's transaction, as Django's test client does."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


def ask(path: str, method: str = "GET", body: bytes = b"", /, **environ: Any) -> Answer:
    """Return the answer to one request; environ: CONTENT_TYPE, HTTP_ACCEPT_LANGUAGE, …"""
    path, _, query = path.partition("?")
    request: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.input": io.BytesIO(body),
        **environ,
    }
    setup_testing_defaults(request)
    heads: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        heads.append((status, headers))

    with _keeping_the_connection():
        chunks: Any = answer(request, start_response)
        content = b"".join(chunks)
        if hasattr(chunks, "close"):
            chunks.close()
    (head,) = heads
    return Answer(int(head[0][:3]), {name.lower(): value for name, value in head[1]}, content.decode())

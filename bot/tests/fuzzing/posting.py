"""Bring a delivery to the WSGI application as a server would, whatever stands in its headers.

Past the admission, which would lend it a connection that does not see what a test has not committed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from bot.tests.fuzzing.deliveries import Delivery
from config.wsgi import answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What the application answered."""

    status: int
    body: bytes


def post(path: str, delivery: Delivery) -> Answer:
    """Answer a POST."""
    length = {"CONTENT_LENGTH": str(len(delivery.body))}
    return request("POST", path, delivery.body, CONTENT_TYPE=delivery.content_type, **{**length, **delivery.environ})


def get(path: str, query: str, **environ: str) -> Answer:
    """Answer a GET; the query is as it stands in the URL."""
    return request("GET", path, b"", QUERY_STRING=query, **environ)


def request(method: str, path: str, body: bytes, **environ: str) -> Answer:
    """Answer a request with this WSGI environment."""
    heads: list[str] = []
    whole: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        **environ,
    }
    with _connection_kept():
        response: Any = answer(whole, lambda status, headers: heads.append(status))
        content = b"".join(response)
        response.close()
    return Answer(int(heads[0][:3]), content)


@contextmanager
def _connection_kept() -> Iterator[None]:
    """Leave the connection open between requests, as Django's test client does: a test's transaction is on it."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)

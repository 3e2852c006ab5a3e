"""Let in so many requests at once as there are database connections for, so that threads stay free for health probes.

The server (granian) has hundreds of threads, which cost next to nothing while they wait. Were each to open a database
connection of its own, there could be only a few of them, and requests that hang would soon have them all. So a request
borrows one of a few connections for as long as it runs, and the other threads wait, or answer probes.
"""

import logging
import time
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

# Under load a connection is given back every few milliseconds. When none was for this long, all that are inside hang.
PATIENCE_SECONDS = 1.0
RETRY_AFTER_SECONDS = 5
BUSY_JSON = b'{"status": "error", "code": "BUSY", "detail": "all that is under way hangs, try again later"}'
BUSY_TEXT = b"The server waits for its database. Please try again in a few seconds.\n"


class Admission:
    """A WSGI application that lets another one answer `most` requests at once, each with a connection it borrows.

    Others wait for their turn, however many they are. While all that are inside hang they are answered with 503
    instead: nobody learns more by waiting.
    """

    def __init__(self, application: Application, most: int) -> None:
        """Prepare the connections; they are opened by the first requests that use them."""
        self.application, self.most = application, most
        self._free: SimpleQueue[BaseDatabaseWrapper] = SimpleQueue()
        for _ in range(most):
            own = connections.create_connection(DEFAULT_DB_ALIAS)
            own.inc_thread_sharing()  # one thread after the other
            self._free.put(own)
        self._moved_at = 0.0
        self._refusing = False

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request once there is a connection for it."""
        borrowed = self._borrow()
        if borrowed is None:
            return self._refuse(environ, start_response)
        connections[DEFAULT_DB_ALIAS] = borrowed
        try:
            return _whole(self.application(environ, start_response))
        finally:
            del connections[DEFAULT_DB_ALIAS]
            self._moved_at = time.monotonic()
            self._free.put(borrowed)

    def _borrow(self) -> BaseDatabaseWrapper | None:
        """Wait for a connection; None when nobody gives one back."""
        borrowed = self._take(wait=False)
        while borrowed is None and time.monotonic() - self._moved_at < PATIENCE_SECONDS:
            borrowed = self._take(wait=True)
        if borrowed is not None:
            self._moved_at = time.monotonic()
            if self._refusing:
                self._refusing = False
                logger.warning("requests_accepted_again")
        return borrowed

    def _take(self, *, wait: bool) -> BaseDatabaseWrapper | None:
        try:
            return self._free.get(block=wait, timeout=PATIENCE_SECONDS if wait else None)
        except Empty:
            return None

    def _refuse(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not self._refusing:
            self._refusing = True
            logger.error("requests_refused", extra={"inside": self.most})
        machine = environ.get("PATH_INFO", "").startswith("/webhooks/")
        kind, body = ("application/json", BUSY_JSON) if machine else ("text/plain; charset=utf-8", BUSY_TEXT)
        headers = [
            ("Content-Type", kind), ("Content-Length", str(len(body))), ("Retry-After", str(RETRY_AFTER_SECONDS)),
            ("Cache-Control", "no-store"),
        ]  # fmt: skip
        start_response("503 Service Unavailable", headers)
        return [body]


def _whole(answer: Iterable[bytes]) -> Iterable[bytes]:
    """Return an answer that needs the connection no more, unless it streams (Django's responses tell)."""
    if getattr(answer, "streaming", True):
        return answer
    try:
        return [b"".join(answer)]
    finally:
        answer.close()  # type: ignore[attr-defined]

"""Let in so many requests at once as there are database connections for, so that threads stay free for health probes.

The server (granian) has hundreds of threads, which cost next to nothing while they wait. Were each to open a database
connection of its own, there could be only a few of them, and requests that hang would soon have them all. So a request
borrows one of a few connections for as long as it runs, and the other threads wait, or answer probes.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from threading import Lock
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


class Waiter:
    """A request that waits: `turn` is released when `connection` is its."""

    def __init__(self) -> None:
        self.connection: BaseDatabaseWrapper | None = None
        self.turn = Lock()
        self.turn.acquire()


class Admission:
    """A WSGI application that lets another one answer `most` requests at once, each with a connection it borrows.

    Others wait for their turn, however many they are. While all that are inside hang they are answered with 503
    instead: nobody learns more by waiting.
    """

    def __init__(self, application: Application, most: int) -> None:
        """Prepare the connections; they are opened by the first requests that use them."""
        self.application, self.most = application, most
        self._lock = Lock()
        self._waiting: deque[Waiter] = deque()
        self._free: list[BaseDatabaseWrapper] = []
        for _ in range(most):
            own = connections.create_connection(DEFAULT_DB_ALIAS)
            own.inc_thread_sharing()  # one thread after the other
            self._free.append(own)
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
            self._give_back(borrowed)

    def _borrow(self) -> BaseDatabaseWrapper | None:
        """Wait for a connection, behind those who wait already; None when nobody gives one back."""
        with self._lock:
            if self._free:
                self._moved_at = time.monotonic()
                return self._free.pop()
            if self._all_hang():
                return None
            waiter = Waiter()
            self._waiting.append(waiter)
        while not waiter.turn.acquire(timeout=PATIENCE_SECONDS):
            with self._lock:
                if waiter.connection is None and self._all_hang():
                    self._waiting.remove(waiter)
                    return None
        return waiter.connection

    def _all_hang(self) -> bool:
        return time.monotonic() - self._moved_at >= PATIENCE_SECONDS

    def _give_back(self, connection: BaseDatabaseWrapper) -> None:
        """Hand a connection to who waits longest: nobody who comes just now takes it from them."""
        with self._lock:
            self._moved_at = time.monotonic()
            if self._waiting:
                waiter = self._waiting.popleft()
                waiter.connection = connection
                waiter.turn.release()
            else:
                self._free.append(connection)
            accepts_again, self._refusing = self._refusing, False
        if accepts_again:
            logger.warning("requests_accepted_again")

    def _refuse(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not self._refusing:
            self._refusing = True
            logger.error("requests_refused", extra={"inside": self.most})
        machine = environ.get("PATH_INFO", "").startswith("/webhooks/")
        kind, body = ("application/json", BUSY_JSON) if machine else ("text/plain; charset=utf-8", BUSY_TEXT)
        headers = [
            ("Content-Type", kind), ("Content-Length", str(len(body))), ("Retry-After", str(RETRY_AFTER_SECONDS)),
            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
            ("Content-Security-Policy", "default-src 'none'"),
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

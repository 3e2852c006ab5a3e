"""Run requests in a few threads of our own, so that the server's threads stay free to answer health probes.

The server (granian) has hundreds of threads, which cost next to nothing while they wait. Were requests run in them,
each would hold a database connection, and requests that hang would have to be fewer than threads for ever. So a
request waits in the server's thread and is run in one of ours, which are as many as the connections we want.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import Any

logger = logging.getLogger(__name__)

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

# Under load a thread takes its next request within milliseconds. When none has done so for this long, all of them hang.
PATIENCE_SECONDS = 1.0
RETRY_AFTER_SECONDS = 5


class _Request:
    """One request on its way: whoever takes `claim` first, a thread that runs it or who waited for one, decides."""

    __slots__ = ("answer", "claim", "done", "environ", "error", "start_response")

    def __init__(self, environ: dict[str, Any], start_response: StartResponse) -> None:
        self.environ, self.start_response = environ, start_response
        self.answer: Iterable[bytes] = ()
        self.error: BaseException | None = None
        self.claim, self.done = threading.Lock(), threading.Lock()
        self.done.acquire()


class RequestThreads:
    """A WSGI application that runs another one in `threads` threads.

    Requests wait for a thread in the order they came, however many they are. While every thread hangs they are
    answered with 503 instead: nobody learns more by waiting.
    """

    def __init__(self, application: Application, threads: int) -> None:
        """Start no thread yet: a server may fork after it has imported us."""
        self.application, self.threads = application, threads
        self._waiting: SimpleQueue[_Request] = SimpleQueue()
        self._moved_at = 0.0
        self._refusing = False
        self._lock = threading.Lock()
        self._started = False

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, in one of the threads.

        Raises:
            BaseException: what the application raised.
        """
        if not self._started:
            self._start()
        if self._waiting.empty():
            self._moved_at = time.monotonic()
        elif self._hang():
            return self._refuse(environ, start_response)
        request = _Request(environ, start_response)
        self._waiting.put(request)
        while not request.done.acquire(timeout=PATIENCE_SECONDS):
            if self._hang() and request.claim.acquire(blocking=False):
                return self._refuse(environ, start_response)
        if request.error is not None:
            raise request.error
        return request.answer

    def _hang(self) -> bool:
        """Return whether requests wait and no thread has taken one for too long."""
        return not self._waiting.empty() and time.monotonic() - self._moved_at > PATIENCE_SECONDS

    def _start(self) -> None:
        with self._lock:
            if not self._started:
                for number in range(self.threads):
                    threading.Thread(target=self._work, name=f"request-{number}", daemon=True).start()
                self._started = True

    def _work(self) -> None:
        while True:
            request = self._waiting.get()
            self._moved_at = time.monotonic()
            if not request.claim.acquire(blocking=False):  # it was refused meanwhile
                continue
            if self._refusing:
                self._refusing = False
                logger.warning("requests_accepted_again")
            try:
                request.answer = _whole(self.application(request.environ, request.start_response))
            except BaseException as error:
                request.error = error
            request.done.release()

    def _refuse(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not self._refusing:
            self._refusing = True
            logger.error("requests_refused", extra={"threads": self.threads})
        machine = environ.get("PATH_INFO", "").startswith("/webhooks/")
        kind, body = ("application/json", BUSY_JSON) if machine else ("text/plain; charset=utf-8", BUSY_TEXT)
        headers = [
            ("Content-Type", kind), ("Content-Length", str(len(body))), ("Retry-After", str(RETRY_AFTER_SECONDS)),
            ("Cache-Control", "no-store"),
        ]  # fmt: skip
        start_response("503 Service Unavailable", headers)
        return [body]


BUSY_JSON = b'{"status": "error", "code": "BUSY", "detail": "every thread waits for the database, try again later"}'
BUSY_TEXT = b"The server waits for its database. Please try again in a few seconds.\n"


def _whole(answer: Iterable[bytes]) -> Iterable[bytes]:
    """Return an answer that needs nothing of this thread any more, unless it streams (Django's responses tell)."""
    if getattr(answer, "streaming", True):
        return answer
    try:
        return [b"".join(answer)]
    finally:
        answer.close()  # type: ignore[attr-defined]

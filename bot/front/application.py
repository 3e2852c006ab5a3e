"""The front's application: which request is answered by what, and what it is answered when that fails."""

import asyncio
import logging
import os
import resource
import sys
import time
from collections.abc import Coroutine, Iterator
from typing import Any

from django.conf import settings

from bot.errors import AppError, ErrorCode
from bot.front.apart import Parser
from bot.front.bodies import Body, read_body
from bot.front.deliveries import Deliveries
from bot.front.intake import Intake
from bot.front.pages import Pages
from bot.front.probes import HEALTHY, Probes
from bot.front.protocol import Connection, Pairs, Scope
from bot.front.room import Room
from bot.web.access_log import PROBES, log_access
from bot.web.answers import MACHINE_HEADERS, Answer, answer_of, as_app_error, refusal
from bot.webhooks import OK
from config.file_modes import keep_new_files_private
from config.logs.context import add

logger = logging.getLogger(__name__)

PAGE_BODY_SECONDS = 30.0
# Files are uploaded by who has signed in; the form to sign in with is some hundred bytes.
MOST_PAGE_BYTES = 10 * 1024 * 1024
MOST_STRANGERS_BYTES = 131_072
# Of pages, together; webhooks have a room of their own.
MOST_PAGE_BODIES = 1_000
MOST_PAGE_BODIES_BYTES = 48 * 1024 * 1024
# Connections and what they need: granian's --backpressure is below it (Procfile).
FILES = 16_384
WEBHOOK_ROUTE = "webhooks/<slug:channel>/<slug:bot>/"
PROBED = frozenset({"/healthz", "/healthz/", "/readyz", "/readyz/"})
FIXED: Pairs = [*((name.lower(), value) for name, value in MACHINE_HEADERS.items()), ("server", "web")]
STORED = [*OK.headers(), *FIXED]
# Each draw of randomness is a call of the system.
IDS_AT_ONCE = 64
# How long a thread waits for the interpreter before it asks the one that has it. The threads that receive and that
# write are in turn short of it, and by Python's 5 ms they would wait for each other longer than their work takes.
SWITCH_SECONDS = 0.0003
# After these the rest of a body may still come: the connection is of no use any more.
BROKEN = frozenset({400, 408, 413})


class Front:
    """An RSGI application (granian --interface rsgi)."""

    intake: Intake
    deliveries: Deliveries
    parser: Parser
    pages: Pages
    probes: Probes
    uploads: Room
    ids: Iterator[str]

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin what works in the background; called once in each process that serves."""
        keep_new_files_private()
        allow_files(FILES)
        sys.setswitchinterval(SWITCH_SECONDS)
        loop.run_until_complete(self.begin())

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """End it; the last request is answered."""
        loop.run_until_complete(self.close())

    async def begin(self) -> None:
        """Begin what works in the background."""
        self.intake = Intake()
        self.intake.begin()
        self.parser = Parser()
        self.deliveries = Deliveries(self.intake, self.parser)
        self.pages = Pages(settings.PAGES_SOCKET, settings.WEB_THREADS)
        self.probes = Probes(self.pages, lambda: self.intake.refuses)
        self.ids = request_ids()
        self.uploads = Room(MOST_PAGE_BODIES, MOST_PAGE_BODIES_BYTES)

    async def close(self) -> None:
        """Write what waits, and close every connection."""
        await self.intake.close()
        await self.pages.close()
        self.parser.close()

    async def __rsgi__(self, scope: Scope, connection: Connection) -> None:
        """Answer a request."""
        path = scope.path
        if path.startswith("/webhooks/"):
            await self._machine(scope, connection, self.deliveries.answer(scope, connection), WEBHOOK_ROUTE)
        elif path in PROBED:
            await self._machine(scope, connection, self._probe(scope), path.strip("/"))
        elif scope.proto == "http":
            await self._page(scope, connection)

    async def _machine(
        self, scope: Scope, connection: Connection, work: Coroutine[Any, Any, Answer], route: str
    ) -> None:
        began = time.perf_counter()
        # This task is the request's, and so is its context: nothing has to be unbound.
        request_id = next(self.ids)
        add({"request_id": request_id})
        answer = await work
        reply(connection, answer, request_id)
        # A delivery that was stored has its line already (message_received), and a second one costs as much again.
        if answer.status != 200 or route in PROBES:
            log_access(scope.method, route, answer.status, time.perf_counter() - began)

    async def _probe(self, scope: Scope) -> Answer:
        if scope.method not in {"GET", "HEAD"}:
            return answer_of(AppError(ErrorCode.INVALID_INPUT, "use GET, HEAD", status_code=405), allow="GET, HEAD")
        return HEALTHY if scope.path.startswith("/healthz") else await self.probes.answer(scope)

    async def _page(self, scope: Scope, connection: Connection) -> None:
        began = time.perf_counter()
        request_id = next(self.ids)
        add({"request_id": request_id})
        body = Body()
        try:
            if not scope.path.startswith("/"):  # CONNECT, or OPTIONS *: for proxies and servers, not for pages
                raise AppError(ErrorCode.INVALID_INPUT, "the address is no path")
            most_bytes = most_page_bytes(scope)
            body = await read_body(scope, connection, self.uploads, most_bytes=most_bytes, seconds=PAGE_BODY_SECONDS)
            await self.pages.answer(scope, connection, body)
        except Exception as error:
            refusal(error, {})
            known = as_app_error(error)
            reply(connection, text_of(known), request_id)
            log_access(scope.method, "pages", known.status_code, time.perf_counter() - began)
        finally:
            body.close()


def request_ids() -> Iterator[str]:
    """Yield random ids, which nobody can guess from others."""
    while True:
        drawn = os.urandom(16 * IDS_AT_ONCE).hex()
        yield from (drawn[start : start + 32] for start in range(0, len(drawn), 32))


def most_page_bytes(scope: Scope) -> int:
    """Return how large a body may be: of who seems to have signed in, files; of a stranger, a form."""
    known = settings.SESSION_COOKIE_NAME in (scope.headers.get("cookie") or "")
    return MOST_PAGE_BYTES if known else MOST_STRANGERS_BYTES


def reply(connection: Connection, answer: Answer, request_id: str) -> None:
    """Send an answer."""
    headers = [*(STORED if answer is OK else [*answer.headers(), *FIXED]), ("x-request-id", request_id)]
    if answer.status in BROKEN:
        headers.append(("connection", "close"))
    connection.response_bytes(answer.status, headers, answer.body)


def text_of(error: AppError) -> Answer:
    """Return what a browser is told where the pages could not be asked."""
    text = f"{error.detail[:1].upper()}{error.detail[1:]}.\n"
    plain = answer_of(error)
    return Answer(plain.status, text.encode(), "text/plain; charset=utf-8", plain.retry_after)


def allow_files(wanted: int) -> None:
    """Let this process have so many files and connections open, as far as its own limit can be raised."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        logger.warning("few_files_allowed", extra={"allowed": most, "wanted": wanted})

"""What the front answers probes: at once, from what was found in the background, whatever hangs."""

import asyncio
import json
import logging
import time
from collections.abc import Callable

from bot.front.pages import Pages
from bot.front.protocol import Scope, pairs_of
from bot.monitoring.health.readiness import (
    ERROR,
    FRESH_SECONDS,
    OK,
    UNREADY,
    Changes,
    Readiness,
    nothing_known,
    run_checks,
)
from bot.monitoring.metrics.access import may_see_numbers
from bot.web.answers import Answer

logger = logging.getLogger(__name__)

HEALTHY = Answer(200, b'{"status": "ok"}')
# The checks give up by themselves before; only a first probe waits for them.
FIRST_SECONDS = 1.8
# What was found so long ago is no answer: the checks themselves hang.
STALE_SECONDS = 10.0


class Probes:
    """Runs the checks while somebody asks for them, and answers with what they found last."""

    def __init__(self, pages: Pages, refuses: Callable[[], bool]) -> None:
        self._pages, self._refuses = pages, refuses
        self._latest: tuple[Readiness, float] | None = None
        self._running: asyncio.Task[None] | None = None
        self._changes = Changes()

    async def readiness(self) -> Readiness:
        """Return what is known of the dependencies, and whether webhooks are refused at this moment."""
        age = time.monotonic() - self._latest[1] if self._latest else None
        if age is None or age > FRESH_SECONDS:
            if self._running is None or self._running.done():
                self._running = asyncio.create_task(self._check())
            if age is None or age > STALE_SECONDS:
                await asyncio.wait([self._running], timeout=FIRST_SECONDS)
        latest = self._latest
        known = time.monotonic() - latest[1] <= STALE_SECONDS if latest else False
        found = latest[0] if latest and known else nothing_known()
        return Readiness({**found.checks, "webhooks": ERROR if self._refuses() else OK}, found.system)

    async def answer(self, scope: Scope) -> Answer:
        """Answer 200 when everything that matters answers, 503 otherwise."""
        found = await self.readiness()
        body = json.dumps(found.body(numbers=may_see_numbers(meta_of(scope))))
        return Answer(503 if found.status == UNREADY else 200, body.encode())

    async def _check(self) -> None:
        found = await run_checks()
        pages = OK if await self._pages.is_there() else ERROR
        found = Readiness({**found.checks, "pages": pages}, found.system)
        self._changes.report(found.failed)
        self._latest = found, time.monotonic()


def meta_of(scope: Scope) -> dict[str, str]:
    """Return a request's headers and its other end as WSGI names them."""
    address = scope.client.rpartition(":")[0].strip("[]")
    names = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in pairs_of(scope.headers)}
    return {**names, "REMOTE_ADDR": address}

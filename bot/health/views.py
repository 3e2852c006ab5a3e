"""/healthz and /readyz."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from bot.metrics.access import may_see_numbers
from bot.shared_answer import SharedAnswer
from bot.system import System

if TYPE_CHECKING:
    from bot.health.checks import Check

logger = logging.getLogger(__name__)

# Longer and an operator waits for the answer to follow; shorter and a burst of probes is a burst of connections.
FRESH_SECONDS = 2.0
READY, DEGRADED, UNREADY = "ready", "degraded", "unready"


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the checks said: name → ok, error or skipped; and how the system does, when the database could tell."""

    checks: dict[str, str]
    system: System | None = None

    @property
    def failed(self) -> list[str]:
        """What does not answer."""
        return [name for name, state in self.checks.items() if state not in {"ok", "skipped"}]

    @property
    def status(self) -> str:
        """Unready without what settings.READINESS_CHECKS names, degraded without anything else that should be there."""
        if set(self.failed) & set(settings.READINESS_CHECKS):
            return UNREADY
        if self.failed or (self.system and not self.system.is_complete):
            return DEGRADED
        return READY


_answers: SharedAnswer[Readiness] = SharedAnswer(FRESH_SECONDS)
_reported: list[str] = []


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer that this process serves requests. It asks nobody: a dependency that is down is no reason to restart."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when everything that matters answers, 503 otherwise, as JSON whatever the client accepts.

    How many processes live and how much waits is told to this machine and to who sends METRICS_TOKEN.
    """
    found = _answers.get(_probe) or Readiness(dict.fromkeys((check.name for check in _checks()), "unknown"))
    body: dict[str, Any] = {"status": found.status, "checks": found.checks}
    if may_see_numbers(request):
        body["system"] = found.system and found.system.as_numbers()
    response = JsonResponse(body, status=503 if found.status == UNREADY else 200)
    # Django would log each 503 as an error, and so send a report to Sentry every few seconds.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


def forget() -> None:
    """Probe at the next request of this process, whatever was found a moment ago."""
    _answers.forget()


def _probe() -> Readiness:
    checks = _checks()
    configured = [check for check in checks if check.is_configured]
    for check in configured:
        check.load()
    states, system = asyncio.run(_run_checks(configured))
    found = Readiness({check.name: states.get(check.name, "skipped") for check in checks}, system)
    _report_change(found.failed)
    return found


def _checks() -> list[Check]:
    """Return a check of each kind."""
    # Imported late: the library brings 9 MB, for processes only that are asked whether they are ready.
    from bot.health.checks import CHECKS

    return [check() for check in CHECKS]


async def _run_checks(checks: Sequence[Check]) -> tuple[dict[str, str], System | None]:
    """Run the checks side by side; return the state of each, and how the system does."""
    states, system = {}, None
    for result in await asyncio.gather(*(check.get_result() for check in checks)):
        states[result.check.name] = "error" if result.error else "ok"
        system = system or result.check.system
    return states, system


def _report_change(failed: list[str]) -> None:
    """Log what is not ready when that changes: probes ask every few seconds."""
    global _reported
    if failed == _reported:
        return
    _reported = failed
    logger.log(logging.WARNING if failed else logging.INFO, "readiness_changed", extra={"failed": failed})

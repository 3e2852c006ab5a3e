"""Readiness of this process, from the checks of its dependencies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from bot.monitoring.system import System

if TYPE_CHECKING:
    from bot.monitoring.health.checks import Check

logger = logging.getLogger(__name__)

# Cache lifetime: longer delays what operators see; shorter turns a burst of probes into a burst of connections.
FRESH_SECONDS = 2.0
READY, DEGRADED, UNREADY = "ready", "degraded", "unready"
OK, ERROR, SKIPPED, UNKNOWN = "ok", "error", "skipped", "unknown"


@dataclass(frozen=True, slots=True)
class Readiness:
    """The results of checks, {name: ok, error or skipped}, and the state of the system if the database answered."""

    checks: Mapping[str, str]
    system: System | None = None

    @property
    def failed(self) -> list[str]:
        """The names of failed checks."""
        return [name for name, state in self.checks.items() if state not in {OK, SKIPPED}]

    @property
    def status(self) -> str:
        """Unready if a check of settings.READINESS_CHECKS failed, degraded if another one did."""
        if set(self.failed) & {*settings.READINESS_CHECKS, "webhooks"}:
            return UNREADY
        if self.failed or (self.system and not self.system.is_complete):
            return DEGRADED
        return READY

    def body(self, *, numbers: bool) -> dict[str, Any]:
        """Return the answer to a probe. numbers: include live processes and waiting messages."""
        body: dict[str, Any] = {"status": self.status, "checks": dict(self.checks)}
        if numbers:
            body["system"] = self.system and self.system.as_numbers()
        return body


def nothing_known() -> Readiness:
    """Return the readiness while the first checks are running."""
    return Readiness(dict.fromkeys((check.name for check in _checks()), UNKNOWN))


async def run_checks() -> Readiness:
    """Run the checks concurrently."""
    checks = await asyncio.to_thread(_loaded_checks)
    states = {check.name: SKIPPED for check in checks}
    system = None
    for result in await asyncio.gather(*(check.get_result() for check in checks if check.is_configured)):
        states[result.check.name] = ERROR if result.error else OK
        system = system or result.check.system
    return Readiness(states, system)


def _checks() -> list[Check]:
    """Return a check of each kind."""
    # Late import: the library costs 9 MB, which only probed processes need.
    from bot.monitoring.health.checks import CHECKS

    return [check() for check in CHECKS]


def _loaded_checks() -> list[Check]:
    checks = _checks()
    for check in checks:
        if check.is_configured:
            check.load()
    return checks


class Changes:
    """A logger of changes in failed checks, because probes come every few seconds."""

    def __init__(self) -> None:
        self._reported: list[str] = []

    def report(self, failed: list[str]) -> None:
        """Log the failed checks if they differ from the last time."""
        if failed == self._reported:
            return
        self._reported = failed
        logger.log(logging.WARNING if failed else logging.INFO, "readiness_changed", extra={"failed": failed})

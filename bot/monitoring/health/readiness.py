"""Readiness: what the checks say of this process's dependencies, and what that makes of it."""

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

# Longer and an operator waits for the answer to follow; shorter and a burst of probes is a burst of connections.
FRESH_SECONDS = 2.0
READY, DEGRADED, UNREADY = "ready", "degraded", "unready"
OK, ERROR, SKIPPED, UNKNOWN = "ok", "error", "skipped", "unknown"


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the checks said: name → ok, error or skipped; and how the system does, when the database could tell."""

    checks: Mapping[str, str]
    system: System | None = None

    @property
    def failed(self) -> list[str]:
        """What does not answer."""
        return [name for name, state in self.checks.items() if state not in {OK, SKIPPED}]

    @property
    def status(self) -> str:
        """Unready without what settings.READINESS_CHECKS names, degraded without anything else that should be there."""
        if set(self.failed) & {*settings.READINESS_CHECKS, "webhooks"}:
            return UNREADY
        if self.failed or (self.system and not self.system.is_complete):
            return DEGRADED
        return READY

    def body(self, *, numbers: bool) -> dict[str, Any]:
        """Return what a probe is told; numbers: how many processes live and how much waits, too."""
        body: dict[str, Any] = {"status": self.status, "checks": dict(self.checks)}
        if numbers:
            body["system"] = self.system and self.system.as_numbers()
        return body


def nothing_known() -> Readiness:
    """Return the readiness of a process whose first checks still run."""
    return Readiness(dict.fromkeys((check.name for check in _checks()), UNKNOWN))


async def run_checks() -> Readiness:
    """Run the checks side by side."""
    checks = await asyncio.to_thread(_loaded_checks)
    states = {check.name: SKIPPED for check in checks}
    system = None
    for result in await asyncio.gather(*(check.get_result() for check in checks if check.is_configured)):
        states[result.check.name] = ERROR if result.error else OK
        system = system or result.check.system
    return Readiness(states, system)


def _checks() -> list[Check]:
    """Return a check of each kind."""
    # Imported late: the library brings 9 MB, for processes only that are asked whether they are ready.
    from bot.monitoring.health.checks import CHECKS

    return [check() for check in CHECKS]


def _loaded_checks() -> list[Check]:
    checks = _checks()
    for check in checks:
        if check.is_configured:
            check.load()
    return checks


class Changes:
    """Logs what is not ready when that changes: probes ask every few seconds."""

    def __init__(self) -> None:
        self._reported: list[str] = []

    def report(self, failed: list[str]) -> None:
        """Log what does not answer, if it was something else the last time."""
        if failed == self._reported:
            return
        self._reported = failed
        logger.log(logging.WARNING if failed else logging.INFO, "readiness_changed", extra={"failed": failed})

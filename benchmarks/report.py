"""Show figures as they come and keep them in a file."""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.databases import postgres_facts, postgres_problem
from benchmarks.figures import Part
from benchmarks.machine import facts


@dataclass(slots=True)
class Report:
    """One run's figures: printed at once, saved at the end."""

    server: tuple[str, ...]
    machine: dict[str, Any] = field(default_factory=facts)
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    parts: list[Part] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        machine = self.machine
        if not postgres_problem():
            machine["postgresql"] = postgres_facts()
        self.show(
            f"{self.began:%Y-%m-%d %H:%M} UTC, {machine['cores']} cores ({machine['processor']}), "
            f"Python {machine['python']}, load before: {machine['load_before']}\n"
            "Load generator, servers, stand-ins and database share these cores: compare the ratios and the figures of\n"
            "one run; with a machine of its own for each, all of them would be higher.\n"
            f"web: granian {' '.join(self.server)}"
        )
        if "postgresql" in machine:
            self.show("PostgreSQL " + ", ".join(f"{name} {value}" for name, value in machine["postgresql"].items()))

    def show(self, text: str) -> None:
        """Print at once, also where the output is no terminal."""
        print(text, flush=True)

    def measured(self, part: Part) -> None:
        """Show a part."""
        self.parts.append(part)
        self.show(f"\n{part.text()}")

    def skipped(self, reason: str) -> None:
        """Say what is left out, and why."""
        self.skips.append(reason)
        self.show(f"\nSkipped: {reason}")

    def failed(self, reason: str) -> None:
        """Say what could not be measured, and why."""
        self.failures.append(reason)
        self.show(f"\nNot measured: {reason}")

    @property
    def untrustworthy(self) -> bool:
        """Whether something was lost, doubled or not measured."""
        return bool(self.failures) or any(part.problems for part in self.parts)

    def save(self, directory: Path) -> None:
        """Write everything, each round included, as JSON."""
        path = directory / f"{self.began:%Y%m%dT%H%M%SZ}.json"
        content = {
            "began": self.began.isoformat(),
            "machine": self.machine,
            "server": self.server,
            "parts": [{**asdict(part), "checks": [check.facts() for check in part.checks]} for part in self.parts],
            "failures": self.failures,
            "skipped": self.skips,
        }
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        self.show(f"\nWritten to {path}")

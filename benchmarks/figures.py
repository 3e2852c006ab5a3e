"""What a run found: tables of figures, the ratios drawn from them, and the thresholds those are held to. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


class BenchmarkError(Exception):
    """A measurement could not be made; the text says why."""


@dataclass(frozen=True, slots=True)
class Check:
    """One figure with its thresholds, if it has any. value and the bounds are in `unit` (empty: a ratio)."""

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    goal: str = ""

    @property
    def verdict(self) -> str:
        """Whether the value is within its bounds, as a word; nothing where it has none."""
        if self.at_least is None and self.at_most is None:
            return ""
        low = self.at_least is not None and self.value < self.at_least
        high = self.at_most is not None and self.value > self.at_most
        return "MISSED" if low or high else "ok"

    def line(self) -> str:
        """Return the check as one line of text."""
        unit = f" {self.unit}" if self.unit else ""
        bounds = [f"≥ {self.at_least:g}{unit}"] if self.at_least is not None else []
        bounds += [f"≤ {self.at_most:g}{unit}"] if self.at_most is not None else []
        bounds += [f"goal {self.goal}"] if self.goal else []
        wanted = f"  ({', '.join(bounds)})  {self.verdict}" if bounds else ""
        return f"{self.name}: {shown(self.value)}{unit}{wanted}"

    def facts(self) -> dict[str, Any]:
        """Return the check and its verdict as plain values."""
        return {**asdict(self), "verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Part:
    """One part measured on one database.

    rows: a label and one value a column. problems: what was lost, doubled or wrong; with any, the figures mean nothing.
    details: every round, for the results file.
    """

    name: str
    database: str
    columns: Sequence[str]
    rows: Mapping[str, Sequence[float]]
    checks: Sequence[Check]
    notes: Sequence[str] = ()
    problems: Sequence[str] = ()
    details: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """Return the part as a table for a terminal."""
        width = max(len(label) for label in self.rows)
        widths = [max(len(column), 7) for column in self.columns]
        head = "  ".join(column.rjust(wide) for column, wide in zip(self.columns, widths, strict=True))
        lines = [f"{self.name} · {self.database}", f"  {' ' * width}  {head}"]
        for label, values in self.rows.items():
            cells = "  ".join(shown(value).rjust(wide) for value, wide in zip(values, widths, strict=True))
            lines.append(f"  {label.ljust(width)}  {cells}")
        lines += [f"  → {check.line()}" for check in self.checks]
        lines += [f"  {note}" for note in self.notes]
        lines += [f"  ! {problem}" for problem in self.problems]
        return "\n".join(lines)


def shown(value: float) -> str:
    """Return a figure with about three significant digits."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def medians(rounds: Sequence[Sequence[float]]) -> list[float]:
    """Return the median of each column over the rounds."""
    return [median(column) for column in zip(*rounds, strict=True)]


def ratio(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]], column: int) -> float:
    """Return the median of one column's ratio, round by round: what slows one round slows both."""
    return median(our[column] / their[column] for our, their in zip(ours, theirs, strict=True))


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the value at or below which `percent` of the values lie (nearest rank).

    Raises:
        BenchmarkError: there are no values.
    """
    if not values:
        raise BenchmarkError("nothing was measured")
    rank = max(1, -(-len(values) * percent // 100))
    return sorted(values)[rank - 1]

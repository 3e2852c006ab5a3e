"""Totals of usage: of a day, of a model, of a person."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over usage records. completions counts completions; unpriced the records that cost_micros leaves out."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0
    completions: int = 0
    unpriced: int = 0

    @classmethod
    def of_row(cls, sums: Sequence[int]) -> "Totals":
        """Return the totals of sums in the order of usage.days.SUMS, the answers last."""
        _calls, read, _cached, written, cost, unpriced, answers = sums
        return cls(read, written, cost, answers, unpriced)

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost_micros + other.cost_micros,
            self.completions + other.completions,
            self.unpriced + other.unpriced,
        )


@dataclass(frozen=True, slots=True)
class DayTotals:
    """The totals of one day."""

    day: date
    totals: Totals


@dataclass(frozen=True, slots=True)
class ModelTotals:
    """The totals of one model, as it was asked for."""

    model: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class UserStats:
    """What one user used: per day, oldest first, idle days included; per model, the most expensive first."""

    total: Totals
    per_day: list[DayTotals] = field(default_factory=list)
    per_model: list[ModelTotals] = field(default_factory=list)

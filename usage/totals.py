"""Sums of usage: in reports, and as totals of a day, of a model, of a person."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(slots=True)
class Sums:
    """Sums over usage records. Cached input is a part of input; cost_micros leaves out the unpriced."""

    calls: int = 0
    answers: int = 0
    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0
    unpriced: int = 0

    def as_row(self) -> tuple[int, ...]:
        """Return the sums in their order."""
        tokens = (self.input_tokens, self.cached_input_tokens, self.output_tokens)
        return (self.calls, self.answers, *tokens, self.cost_micros, self.unpriced)

    @classmethod
    def of_row(cls, sums: Sequence[int]) -> "Sums":
        """Return sums from a row in the order of usage.days.SUMS, the answers last."""
        # PostgreSQL's sums of big integers are decimals.
        calls, *tokens_and_cost, answers = map(int, sums)
        return cls(calls, answers, *tokens_and_cost)

    def add(self, other: "Sums") -> None:
        """Count another's records as well."""
        self.calls += other.calls
        self.answers += other.answers
        self.input_tokens += other.input_tokens
        self.cached_input_tokens += other.cached_input_tokens
        self.output_tokens += other.output_tokens
        self.cost_micros += other.cost_micros
        self.unpriced += other.unpriced


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

"""What tokens cost. Pure integer arithmetic in micro-dollars: no Django, no float."""

from dataclasses import dataclass
from typing import Any

# Rates are of a million tokens.
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """A model's rates in micro-dollars per million tokens, and where they come from.

    Without a rate of its own, cached input costs what other input costs.
    """

    input_micros_per_million: int
    output_micros_per_million: int
    cached_input_micros_per_million: int | None = None
    source: str = ""

    def snapshot(self) -> dict[str, Any]:
        """Return the price as JSON, to be kept with what was computed from it."""
        return {
            "source": self.source,
            "input_micros_per_million": self.input_micros_per_million,
            "cached_input_micros_per_million": self.cached_input_micros_per_million,
            "output_micros_per_million": self.output_micros_per_million,
        }


def cost_micros(price: Price, input_tokens: int, cached_input_tokens: int, output_tokens: int) -> int:
    """Return the cost in micro-dollars, rounded half up. input_tokens includes cached_input_tokens.

    Raises:
        ValueError: a number of tokens is negative.
    """
    if min(input_tokens, cached_input_tokens, output_tokens) < 0:
        raise ValueError("Numbers of tokens cannot be negative.")
    # Some servers report more cached tokens than input tokens; nobody is charged for less than nothing.
    cached = min(cached_input_tokens, input_tokens)
    cached_rate = price.cached_input_micros_per_million
    if cached_rate is None:
        cached_rate = price.input_micros_per_million
    total = (
        (input_tokens - cached) * price.input_micros_per_million
        + cached * cached_rate
        + output_tokens * price.output_micros_per_million
    )
    return (total + MILLION // 2) // MILLION


def assumed_micros(tokens: int, micros_per_million: int) -> int:
    """Return what tokens without a known price are taken to cost, rounded up."""
    return -(-tokens * micros_per_million // MILLION)

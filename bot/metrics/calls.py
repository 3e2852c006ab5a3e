"""What model calls count for."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.metrics.memory import count


def count_calls(rows: Iterable[Mapping[str, Any]]) -> None:
    """Count the tokens and the cost of calls as they were recorded."""
    for row in rows:
        model = row["model"]
        count("input_tokens", row["input_tokens"], model=model)
        count("cached_input_tokens", row["cached_input_tokens"], model=model)
        count("output_tokens", row["output_tokens"], model=model)
        count("cost_dollars", row["cost_micros"] or 0, model=model)

"""Count the tokens and the cost of model calls, for the metrics."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from bot.monitoring.metrics.memory import count

# Counters, and the columns of usage records that add to them.
COLUMNS = {
    "input_tokens": "input_tokens",
    "cached_input_tokens": "cached_input_tokens",
    "output_tokens": "output_tokens",
    "cost_dollars": "cost_micros",
}


def count_calls(rows: Iterable[Mapping[str, Any]]) -> None:
    """Count the tokens and the cost of calls as they were recorded."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        for name, column in COLUMNS.items():
            sums[name, row["model"]] += row[column] or 0
    for (name, model), amount in sums.items():
        count(name, amount, model=model)

"""In-memory counts of a process, flushed every few seconds (flushing.py)."""

import json
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from typing import Any

from bot.monitoring.metrics.definitions import COUNTERS
from config.desk.money import MICROS

# A label's values become rows: values that a provider or a person can choose are cut to this length.
LONGEST_VALUE = 60
MOST_VALUES = 100
OTHER = "other"
ENDLESS = "+Inf"

# (name of a row, labels as JSON)
Key = tuple[str, str]


class Pending:
    """Counts of this process that are not flushed yet. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[Key] = Counter()
        # Cache of keys by (name, (label, value), …).
        self._keys: dict[tuple[Any, ...], Key] = {}
        self._values: dict[tuple[str, str], set[str]] = {}
        # A callback for the first count.
        self.on_first: Callable[[], None] | None = None

    def __bool__(self) -> bool:
        return bool(self._counts)

    def add(self, name: str, labels: dict[str, str], amount: int) -> None:
        """Add to a sample."""
        given = name, *labels.items()
        with self._lock:
            key = self._keys.get(given) or self._key_of(name, labels)
            self._counts[key] += amount
            on_first, self.on_first = self.on_first, None
        if on_first:
            on_first()

    def take(self) -> dict[Key, int]:
        """Return all counts and reset them."""
        with self._lock:
            taken, self._counts = self._counts, Counter()
        return taken

    def give_back(self, counts: dict[Key, int]) -> None:
        """Add counts back that could not be flushed."""
        with self._lock:
            self._counts.update(counts)

    def _key_of(self, name: str, labels: dict[str, str]) -> Key:
        bounded = {label: self._bounded(name, label, value) for label, value in labels.items()}
        key = name, json.dumps(bounded, sort_keys=True, ensure_ascii=False)
        if bounded == labels:  # cache only keys with bounded labels; others could grow without limit
            self._keys[name, *labels.items()] = key
        return key

    def _bounded(self, name: str, label: str, value: str) -> str:
        cut = str(value)[:LONGEST_VALUE].replace("\0", "")
        seen = self._values.setdefault((name, label), set())
        if cut not in seen and len(seen) >= MOST_VALUES:
            return OTHER
        seen.add(cut)
        return cut


pending = Pending()
_LABELS = {name: frozenset(counted.labels) for name, counted in COUNTERS.items()}


def count(name: str, amount: int = 1, **labels: str) -> None:
    """Add to a counter of bot/monitoring/metrics/definitions.py.

    Raises:
        KeyError, ValueError: there is no such counter, or it has other labels.
    """
    if labels.keys() != _LABELS[name]:
        raise ValueError(f"{name} has the labels {COUNTERS[name].labels}")
    if amount:
        pending.add(name, labels, amount)


def observe(name: str, seconds: float, **labels: str) -> None:
    """Add a duration to a histogram.

    Raises:
        KeyError, ValueError: there is no such histogram, or it has other labels.
    """
    counted = COUNTERS[name]
    if set(labels) != set(counted.labels) or not counted.buckets:
        raise ValueError(f"{name} is no histogram with the labels {tuple(labels)}")
    place = bisect_left(counted.buckets, seconds)
    bucket = str(counted.buckets[place]) if place < len(counted.buckets) else ENDLESS
    # Buckets are not cumulative in storage; they are summed at exposition.
    pending.add(f"{name}_bucket", {**labels, "le": bucket}, 1)
    pending.add(f"{name}_sum", labels, round(max(seconds, 0.0) * MICROS))

"""Prometheus text exposition of counters, summed over all processes, and gauges."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from bot.monitoring.metrics.definitions import COUNTERS, GAUGES, PREFIX, Counted
from bot.monitoring.metrics.memory import ENDLESS

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
Labels = tuple[str, ...]
# {name of rows: {label values in the definition's order: value}}
Values = Mapping[str, Mapping[Labels, int]]


class Snapshot(Collector):
    """A snapshot of all metrics."""

    def __init__(self, rows: Iterable[tuple[str, str, int]], gauges: Mapping[str, float | None]) -> None:
        """Take the rows of counters as (name, labels as JSON, value), and the gauges by name."""
        self._values = _by_name(rows)
        self._gauges = gauges

    def collect(self) -> Iterator[Metric]:
        """Yield every defined metric; rows without a definition are skipped."""
        for name, counted in COUNTERS.items():
            yield self._histogram(name, counted) if counted.buckets else self._counter(name, counted)
        for name, measured in GAUGES.items():
            value = self._gauges.get(name)
            gauge = GaugeMetricFamily(f"{PREFIX}{name}", measured.help)
            if value is not None:
                gauge.add_metric([], value)
            yield gauge

    def _counter(self, name: str, counted: Counted) -> Metric:
        family = CounterMetricFamily(f"{PREFIX}{name}", counted.help, labels=counted.labels)
        zeros: dict[Labels, int] = {(value,): 0 for value in counted.known}
        for labels, value in sorted({**zeros, **self._values.get(name, {})}.items()):
            family.add_metric(labels, value / counted.divisor)
        return family

    def _histogram(self, name: str, counted: Counted) -> Metric:
        family = HistogramMetricFamily(f"{PREFIX}{name}", counted.help, labels=counted.labels)
        # The bucket's bound follows the metric's own labels.
        found: dict[Labels, dict[str, int]] = defaultdict(dict)
        for labels, value in self._values.get(f"{name}_bucket", {}).items():
            found[labels[:-1]][labels[-1]] = value
        if not counted.labels:
            found.setdefault((), {})
        for labels, by_bound in sorted(found.items()):
            total, buckets = 0, []
            for bound in (*map(str, counted.buckets), ENDLESS):
                total += by_bound.get(bound, 0)
                buckets.append((bound, float(total)))
            seconds = self._values.get(f"{name}_sum", {}).get(labels, 0) / counted.divisor
            family.add_metric(labels, buckets, sum_value=seconds)
        return family


def text_of(snapshot: Snapshot) -> bytes:
    """Return a snapshot as Prometheus text."""
    registry = CollectorRegistry()
    registry.register(snapshot)
    return generate_latest(registry)


def _by_name(rows: Iterable[tuple[str, str, int]]) -> Values:
    order = {name: counted.labels for name, counted in COUNTERS.items()}
    for name, counted in COUNTERS.items():
        if counted.buckets:
            order |= {f"{name}_bucket": (*counted.labels, "le"), f"{name}_sum": counted.labels}
    values: dict[str, dict[Labels, int]] = defaultdict(dict)
    for name, labels, value in rows:
        given = json.loads(labels)
        if name in order and given.keys() == set(order[name]):
            values[name][tuple(given[label] for label in order[name])] = value
    return values

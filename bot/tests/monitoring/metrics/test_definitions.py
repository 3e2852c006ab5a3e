"""The manual and the dashboard name each metric, and none besides."""

import json
import re
from pathlib import Path

import pytest

from bot.monitoring.metrics import memory, views
from bot.monitoring.metrics.definitions import COUNTERS, GAUGES, exposed_name

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

OPERATIONS = Path(__file__).resolve().parents[4] / "docs" / "operations"


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    memory.pending.take()
    views.forget()


NAME = re.compile(r"\bparley_[a-z_]+")


def exposed() -> set[str]:
    """Return every name a query may use."""
    names = {exposed_name(name) for name in (*COUNTERS, *GAUGES)}
    histograms = {f"parley_{name}" for name, counted in COUNTERS.items() if counted.buckets}
    return names | {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}


def test_the_table_of_metrics_is_that_of_the_code() -> None:
    rows = re.findall(
        r"^\| `(parley_\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", (OPERATIONS / "metrics.md").read_text(), re.M
    )
    expected = [
        (exposed_name(name), "histogram" if one.buckets else "counter", one.labels, one.help)
        for name, one in COUNTERS.items()
    ] + [(exposed_name(name), "gauge", one.labels, one.help) for name, one in GAUGES.items()]
    written = [(name, kind, tuple(re.findall(r"`(\w+)`", labels)), told) for name, kind, labels, told in rows]
    assert written == expected


@pytest.mark.parametrize("file", ["grafana-dashboard.json", "alerts.yml", "alerts_test.yml", "metrics.md", "health.md"])
def test_whatever_is_named_there_exists(file: str) -> None:
    named = set(NAME.findall((OPERATIONS / file).read_text()))
    assert named - exposed() == set()


def test_the_dashboard_shows_every_metric_and_names_no_datasource_of_ours() -> None:
    text = (OPERATIONS / "grafana-dashboard.json").read_text()
    shown = {re.sub("_(bucket|sum|count)$", "", name) for name in NAME.findall(text)}
    assert shown == {exposed_name(name) for name in (*COUNTERS, *GAUGES)}
    dashboard = json.loads(text)
    sources = {panel["datasource"]["uid"] for panel in dashboard["panels"] if "datasource" in panel}
    assert sources == {"${datasource}"}
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])

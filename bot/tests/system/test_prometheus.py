"""A real Prometheus: it reads what a real web process answers, and understands every query of ours."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request

import pytest

from bot.tests.support.factories import whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.processes import OPENER, System, running_system, wait_for
from bot.tests.system.faults.binaries import free_port

OPERATIONS = Path(__file__).resolve().parents[3] / "docs" / "operations"
MISSING = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
pytestmark = [
    pytest.mark.promise("counters", "a real Prometheus asks every query of alerts and dashboard"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed here: {', '.join(MISSING)}"),
]


def promtool(*words: str, content: str | None = None, folder: Path = OPERATIONS) -> str:
    """Run promtool to its end and return what it said.

    Raises:
        AssertionError: it found something.
    """
    done = subprocess.run(["promtool", *words], cwd=folder, input=content, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_alerts_are_valid_and_fire_when_they_should() -> None:
    rules = len(re.findall(r"- alert:", (OPERATIONS / "alerts.yml").read_text()))
    assert f"SUCCESS: {rules} rules found" in promtool("check", "rules", "alerts.yml")
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")


def test_the_example_of_a_configuration_is_valid(tmp_path: Path) -> None:
    shutil.copy(OPERATIONS / "alerts.yml", tmp_path)
    token = tmp_path / "token"
    token.write_text("x")
    text = (OPERATIONS / "prometheus.yml").read_text()
    (tmp_path / "prometheus.yml").write_text(text.replace("/etc/prometheus/parley-metrics-token", str(token)))
    assert "SUCCESS" in promtool("check", "config", "prometheus.yml", folder=tmp_path)


# --- a running one ---


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    environment = {"METRICS_TOKEN": "a-metrics-token", "DAILY_BUDGET_USD": "5"}
    with running_system(tmp_path_factory.mktemp("prometheus"), environment=environment) as running:
        running.start_web()
        running.start_pages()
        running.start_worker()
        assert running.post(whatsapp_body(whatsapp_value(messages=[whatsapp_message()]))) == 200
        wait_for(lambda: len(running.sends()) == 1, "a message is answered")
        yield running


@pytest.fixture(scope="module")
def prometheus(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run Prometheus with our example and our alerts, every second; yield its port."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(OPERATIONS / "alerts.yml", folder)
    (folder / "token").write_text("a-metrics-token")
    text = (OPERATIONS / "prometheus.yml").read_text()
    for ours, here in (
        ("/etc/prometheus/parley-metrics-token", str(folder / "token")), ("127.0.0.1:3000", f"127.0.0.1:{system.port}"),
        ("15s", "1s"),
    ):  # fmt: skip
        assert ours in text
        text = text.replace(ours, here)
    (folder / "prometheus.yml").write_text(text)
    port = free_port()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_for(lambda: system.get("/-/ready", port) == 200, "Prometheus is ready")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def ask(port: int, query: str) -> list[dict[str, Any]]:
    """Return what a query finds.

    Raises:
        HTTPError: Prometheus does not understand it.
    """
    with OPENER.open(Request(f"http://127.0.0.1:{port}/api/v1/query?query={quote(query)}"), timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    assert found["status"] == "success"
    assert not found.get("warnings"), found
    return list(found["data"]["result"])


@pytest.mark.processes
@pytest.mark.soak
def test_promtool_finds_nothing_wrong_with_what_is_answered(system: System) -> None:
    request = Request(f"http://127.0.0.1:{system.port}/metrics", headers={"Authorization": "Bearer a-metrics-token"})
    with OPENER.open(request, timeout=30) as answer:
        text = answer.read().decode()
    assert "parley_messages_received_total" in text
    assert promtool("check", "metrics", content=text) == ""


@pytest.mark.processes
@pytest.mark.soak
def test_prometheus_reads_it_and_understands_every_query(system: System, prometheus: int) -> None:
    wait_for(lambda: bool(ask(prometheus, 'up{job="parley"} == 1')), "it is read")
    wait_for(lambda: bool(ask(prometheus, 'parley_turns_total{outcome="answered"} == 1')), "the turn is counted")
    time.sleep(3)  # a rate is one of two samples or more
    dashboard = json.loads((OPERATIONS / "grafana-dashboard.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    empty = [query for query in queries if not ask(prometheus, query.replace("$__rate_interval", "1m"))]
    # Of what did not happen there is no sample.
    silent = (
        "redelivered",
        "quarantined",
        "provider_errors",
        "histogram_quantile",
        "scheduler_seen",
        "cost_dollars",
    )  # no known price
    assert not [query for query in empty if not any(word in query for word in silent)]

    assert len(rules_of(prometheus)) == 10
    wait_for(lambda: all(rule["health"] == "ok" for rule in rules_of(prometheus)), "each alert was evaluated")
    assert [rule["name"] for rule in rules_of(prometheus) if rule["state"] == "firing"] == []


def rules_of(port: int) -> list[dict[str, Any]]:
    with OPENER.open(Request(f"http://127.0.0.1:{port}/api/v1/rules"), timeout=30) as answer:
        return list(json.load(answer)["data"]["groups"][0]["rules"])

"""Liveness and readiness: what the probes of an operator's machinery read."""

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection

from bot.monitoring import health
from bot.monitoring.health import model, readiness, views
from bot.monitoring.heartbeats import Kind, beat
from bot.tests.monitoring.health.asking import ModelServer, ask_readyz, checks_of

pytestmark = pytest.mark.database


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never says a word, like a server under SIGSTOP."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(autouse=True)
def no_earlier_result(monkeypatch):
    monkeypatch.setattr(model, "latest", model.Latest())
    monkeypatch.setattr(views, "_changes", readiness.Changes())
    health.forget()


@pytest.fixture(autouse=True)
def nothing_but_the_database(settings):
    settings.REDIS_URL = None
    settings.LLM_PROVIDER = "demo"


@pytest.fixture
def everybody_lives(transactional_db):
    beat(Kind.WORKER, "a:1:0")
    beat(Kind.SCHEDULER, "a:2:0")


def test_readyz_is_ready_with_what_is_configured_and_says_what_is_not(everybody_lives):
    response = ask_readyz()
    assert response.status_code == 200
    body = json.loads(response.content)
    system = body.pop("system")
    assert body == {
        "status": "ready",
        "checks": {"db": "ok", "redis": "skipped", "openai": "skipped"},
    }
    assert 0 <= system.pop("worker_seen_seconds") < 20
    assert 0 <= system.pop("scheduler_seen_seconds") < 20
    assert system == {"workers_alive": 1, "schedulers_alive": 1, "waiting_messages": 0, "oldest_waiting_seconds": 0.0}
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_everything_hanging_at_once_is_answered_within_two_seconds(settings, silent_port):
    settings.REDIS_URL = f"redis://127.0.0.1:{silent_port}/0"
    settings.LLM_PROVIDER = "openai"
    settings.OPENAI_BASE_URL = f"http://127.0.0.1:{silent_port}/v1"
    started = time.monotonic()
    response = ask_readyz()
    assert time.monotonic() - started < 2
    assert checks_of(response) == {"db": "ok", "redis": "error", "openai": "error"}


@pytest.mark.django_db
def test_what_is_not_ready_is_logged_by_name_and_once(settings, caplog, client, model_server):
    caplog.set_level("INFO")
    settings.LLM_PROVIDER = "openai"
    settings.OPENAI_API_KEY = "sk-canary"
    settings.OPENAI_BASE_URL = model_server.url
    model_server.status = 500
    assert [client.get("/readyz").status_code for _ in range(3)] == [503] * 3
    health.forget()
    settings.LLM_PROVIDER = "demo"
    assert [client.get("/readyz").status_code for _ in range(3)] == [200] * 3
    events = [
        (record.levelname, record.message, record.failed)
        for record in caplog.records
        if record.name == "bot.monitoring.health.readiness"
    ]
    assert events == [("WARNING", "readiness_changed", ["openai"]), ("INFO", "readiness_changed", [])]
    # Nothing else either: Django logs a 503 as an error, which Sentry would take for one.
    assert not [record for record in caplog.records if record.name == "django.request"]
    assert "sk-canary" not in caplog.text


@pytest.mark.django_db
def test_a_probe_leaves_no_database_connection_behind():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server to count connections at")
    ask_readyz()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        before = cursor.fetchone()
        for _ in range(5):
            ask_readyz()
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        assert cursor.fetchone()[0] <= before[0] + 1

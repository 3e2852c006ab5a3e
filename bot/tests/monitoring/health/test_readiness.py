"""Liveness and readiness: what the probes of an operator's machinery read."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory

from bot.monitoring import health
from bot.monitoring.health import checks, model, readiness, views
from bot.monitoring.heartbeats import Kind, beat

pytestmark = pytest.mark.database


class ModelServer(ThreadingHTTPServer):
    """A real HTTP server in the model's place; it answers with `status` and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), ModelHandler)
        self.status = 200
        self.asked: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class ModelHandler(BaseHTTPRequestHandler):
    server: ModelServer

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        return None


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


def ask_readyz(**headers: str) -> HttpResponse:
    """Ask, seconds after anybody else did."""
    health.forget()
    return health.readyz(RequestFactory(headers=headers).get("/readyz"))


@pytest.fixture
def everybody_lives(transactional_db):
    beat(Kind.WORKER, "a:1:0")
    beat(Kind.SCHEDULER, "a:2:0")


def checks_of(response: HttpResponse) -> dict[str, str]:
    return json.loads(response.content)["checks"]


def test_healthz_answers_without_asking_anything(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        response = health.healthz(RequestFactory().get("/healthz"))
    assert response.status_code == 200
    assert json.loads(response.content) == {"status": "ok"}
    assert "no-store" in response["Cache-Control"]


def test_healthz_only_reads():
    assert health.healthz(RequestFactory().post("/healthz")).status_code == 405


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


STRANGERS = [
    {"REMOTE_ADDR": "203.0.113.7"},
    {"REMOTE_ADDR": ""},
    *({f"HTTP_{name}": "127.0.0.1"} for name in ("X_FORWARDED_FOR", "X_REAL_IP", "FORWARDED", "VIA", "CF_RAY")),
]


@pytest.mark.parametrize("stranger", STRANGERS, ids=str)
@pytest.mark.parametrize("token", ["", "a-token-of-twenty-characters"])
def test_a_stranger_is_told_the_status_and_the_parts_and_no_number(everybody_lives, client, settings, stranger, token):
    settings.METRICS_TOKEN = token
    health.forget()
    for authorization in ({}, {"HTTP_AUTHORIZATION": "Bearer another"}, {"HTTP_AUTHORIZATION": "Bearer "}):
        response = client.get("/readyz", **stranger, **authorization)
        assert response.status_code == 200
        assert json.loads(response.content) == {
            "status": "ready",
            "checks": {"db": "ok", "redis": "skipped", "openai": "skipped"},
        }


@pytest.mark.parametrize("somebody", [{}, {"REMOTE_ADDR": "::1"}], ids=str)
def test_this_machine_is_told_the_numbers(everybody_lives, client, somebody):
    health.forget()
    assert json.loads(client.get("/readyz", **somebody).content)["system"]["workers_alive"] == 1


@pytest.mark.parametrize("stranger", STRANGERS, ids=str)
def test_who_sends_the_metrics_token_is_told_the_numbers_wherever_they_are(everybody_lives, client, settings, stranger):
    settings.METRICS_TOKEN = "a-token-of-twenty-characters"
    health.forget()
    response = client.get("/readyz", HTTP_AUTHORIZATION="Bearer a-token-of-twenty-characters", **stranger)
    assert json.loads(response.content)["system"]["workers_alive"] == 1


@pytest.mark.django_db
@pytest.mark.parametrize("accept", ["text/html", "text/plain", "application/atom+xml", "image/png"])
def test_readyz_is_json_whatever_the_client_accepts(accept):
    response = ask_readyz(accept=accept)
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


@pytest.mark.django_db
def test_readyz_only_reads():
    assert health.readyz(RequestFactory().post("/readyz")).status_code == 405


def test_a_database_that_fails_is_an_error(monkeypatch):
    def fail(*args: object) -> None:
        raise RuntimeError("canary-detail")

    monkeypatch.setattr(checks, "ask_local_database", fail)
    monkeypatch.setattr(checks, "connect", fail)
    response = ask_readyz()
    assert response.status_code == 503
    assert json.loads(response.content)["status"] == "unready"
    assert checks_of(response)["db"] == "error"
    assert b"canary-detail" not in response.content


def test_postgresql_that_hangs_is_given_up_within_the_limit(silent_port):
    parameters = {"host": "127.0.0.1", "port": silent_port, "dbname": "parley", "user": "parley"}
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(bounded(checks.connect(parameters)))
    assert time.monotonic() - started < checks.STORE_SECONDS + 0.7


async def bounded(asking) -> None:
    async with asyncio.timeout(checks.STORE_SECONDS):
        await asking


@pytest.mark.django_db
def test_a_redis_that_refuses_is_an_error(settings):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings.REDIS_URL = f"redis://:canary-password@127.0.0.1:{port}/0"
    response = ask_readyz()
    assert response.status_code == 503
    assert checks_of(response) == {"db": "ok", "redis": "error", "openai": "skipped"}
    assert b"canary-password" not in response.content


@pytest.mark.django_db
def test_everything_hanging_at_once_is_answered_within_two_seconds(settings, silent_port):
    settings.REDIS_URL = f"redis://127.0.0.1:{silent_port}/0"
    settings.LLM_PROVIDER = "openai"
    settings.OPENAI_BASE_URL = f"http://127.0.0.1:{silent_port}/v1"
    started = time.monotonic()
    response = ask_readyz()
    assert time.monotonic() - started < 2
    assert checks_of(response) == {"db": "ok", "redis": "error", "openai": "error"}


@pytest.fixture
def redis_port() -> Iterator[int]:
    """A server that knows as much of Redis as one ping needs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=pong, args=(server,), daemon=True).start()
        yield server.getsockname()[1]


def pong(server: socket.socket) -> None:
    answers = {b"HELLO": b"%1\r\n+proto\r\n:3\r\n", b"SELECT": b"+OK\r\n", b"CLIENT": b"+OK\r\n", b"PING": b"+PONG\r\n"}
    client, _ = server.accept()
    with client:
        while received := client.recv(4096):
            client.sendall(b"".join(answers.get(word, b"") for word in received.upper().split()))


@pytest.mark.django_db
def test_a_redis_that_answers_is_ok(settings, redis_port):
    settings.REDIS_URL = f"redis://127.0.0.1:{redis_port}/3"
    response = ask_readyz()
    assert (response.status_code, checks_of(response)["redis"]) == (200, "ok")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("status", "state"),
    [(200, "ok"), (404, "ok"), (429, "ok"), (401, "error"), (403, "error"), (500, "error"), (503, "error")],
)
def test_the_model_is_ready_when_its_server_answers_and_takes_the_key(settings, model_server, status, state):
    settings.LLM_PROVIDER = "openai"
    settings.OPENAI_API_KEY = "sk-canary"
    settings.OPENAI_BASE_URL = model_server.url
    model_server.status = status
    response = ask_readyz()
    assert checks_of(response)["openai"] == state
    assert response.status_code == (200 if state == "ok" else 503)
    assert model_server.asked == [("/v1/models", "Bearer sk-canary")]
    assert b"sk-canary" not in response.content
    assert model_server.url.encode() not in response.content


@pytest.mark.django_db
@pytest.mark.parametrize("status", [200, 500])
def test_the_model_is_asked_at_most_once_a_minute(settings, model_server, status):
    settings.LLM_PROVIDER = "openai"
    settings.OPENAI_BASE_URL = model_server.url
    model_server.status = status
    first = ask_readyz().status_code
    assert [ask_readyz().status_code for _ in range(5)] == [first] * 5
    assert len(model_server.asked) == 1
    model.latest.at -= model.RESULT_SECONDS + 1
    model_server.status = 200
    assert ask_readyz().status_code == 200
    assert len(model_server.asked) == 2


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

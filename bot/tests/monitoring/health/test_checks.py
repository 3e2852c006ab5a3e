"""Each check gives up by itself, whatever it waits for."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from bot.monitoring import health
from bot.monitoring.health import checks, model, readiness, views
from bot.tests.monitoring.health.asking import ask_readyz, checks_of

pytestmark = pytest.mark.database


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

"""Whether the model's server answers is asked once a minute."""

import threading
from collections.abc import Iterator

import pytest

from bot.monitoring import health
from bot.monitoring.health import model, readiness, views
from bot.tests.monitoring.health.asking import ModelServer, ask_readyz, checks_of

pytestmark = pytest.mark.database


@pytest.fixture
def model_server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def no_earlier_result(monkeypatch):
    monkeypatch.setattr(model, "latest", model.Latest())
    monkeypatch.setattr(views, "_changes", readiness.Changes())
    health.forget()


@pytest.fixture(autouse=True)
def nothing_but_the_database(settings):
    settings.REDIS_URL = None
    settings.LLM_PROVIDER = "demo"


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

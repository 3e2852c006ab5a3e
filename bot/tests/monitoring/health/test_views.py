"""/healthz and /readyz as Django views: what they answer, and to whom."""

import json

import pytest
from django.test import RequestFactory

from bot.monitoring import health
from bot.monitoring.health import model, readiness, views
from bot.monitoring.heartbeats import Kind, beat
from bot.tests.monitoring.health.asking import ask_readyz

pytestmark = pytest.mark.database


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


def test_healthz_answers_without_asking_anything(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        response = health.healthz(RequestFactory().get("/healthz"))
    assert response.status_code == 200
    assert json.loads(response.content) == {"status": "ok"}
    assert "no-store" in response["Cache-Control"]


def test_healthz_only_reads():
    assert health.healthz(RequestFactory().post("/healthz")).status_code == 405


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

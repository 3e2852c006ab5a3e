"""Who may see figures of the whole system."""

from typing import Any

import pytest
from django.test import Client

from bot.monitoring.metrics import memory, views
from bot.tests.monitoring.metrics.scraping import scrape

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    memory.pending.take()
    views.forget()


def test_without_a_token_only_this_machine_is_answered(client: Client) -> None:
    assert scrape(client).status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="::1").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="::ffff:127.0.0.1").status_code == 200
    for address in ("10.0.0.1", "", "unix:"):
        response = client.get("/metrics", REMOTE_ADDR=address)
        assert response.status_code == 403
        assert b"METRICS_TOKEN" in response.content


def test_in_production_nobody_is_answered_without_a_token_not_even_this_machine(client: Client, settings: Any) -> None:
    settings.PRODUCTION = True
    response = scrape(client)
    assert (response.status_code, b"METRICS_TOKEN is required" in response.content) == (403, True)
    assert scrape(client, authorization="Bearer ").status_code == 403
    settings.METRICS_TOKEN = "a-long-token"
    assert scrape(client).status_code == 401
    assert scrape(client, authorization="Bearer a-long-token").status_code == 200


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Anything", "Forwarded", "X-Real-IP", "Via"]
)
def test_what_came_through_a_proxy_is_not_from_this_machine(client: Client, header: str) -> None:
    assert scrape(client, **{header: "127.0.0.1"}).status_code == 403


def test_with_a_token_it_must_be_sent_wherever_one_is(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = "a-long-token"
    assert scrape(client).status_code == 401
    assert scrape(client, authorization="Basic a-long-token").status_code == 401
    assert scrape(client, authorization="Bearer another").status_code == 403
    response = client.get("/metrics", headers={"authorization": "Bearer a-long-token"}, REMOTE_ADDR="10.0.0.1")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    assert scrape(client, authorization="Bearer ü").status_code == 403

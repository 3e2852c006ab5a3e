"""A burst of questions costs one answer."""

import pytest
from django.test import Client

from bot.monitoring.metrics import memory, views
from bot.tests.monitoring.metrics.scraping import scrape

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    memory.pending.take()
    views.forget()


def test_a_second_scrape_within_seconds_asks_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = scrape(client).content
    monkeypatch.setattr(views, "_ask", lambda: b"asked again")
    assert client.get("/metrics").content == first
    assert scrape(client).content == b"asked again"

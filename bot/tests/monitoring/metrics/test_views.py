"""/metrics, for who may see it."""

import pytest
from django.db import OperationalError, connection
from django.test import Client

from bot.monitoring.metrics import memory, views
from bot.tests.monitoring.metrics.scraping import scrape

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    memory.pending.take()
    views.forget()


def test_without_a_database_it_is_503_and_says_nothing_else(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OperationalError("canary-detail")

    monkeypatch.setattr(views, "flush", fail)
    response = scrape(client)
    assert (response.status_code, response.content) == (503, b"the database does not answer\n")
    assert not connection.in_atomic_block

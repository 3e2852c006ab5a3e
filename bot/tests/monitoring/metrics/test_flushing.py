"""Metrics: counted once and after the commit, added up by the database, shown to who may see them."""

import pytest
from django.db import OperationalError
from django.test import Client

from bot.models import Counter
from bot.monitoring.metrics import count, flush, memory, views

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    memory.pending.take()
    views.forget()


def test_what_was_counted_is_added_to_the_table_once(client: Client) -> None:
    count("turns", outcome="answered")
    count("turns", 2, outcome="answered")
    flush()
    flush()
    count("turns", outcome="answered")
    flush()
    assert list(Counter.objects.values_list("name", "labels", "value")) == [("turns", '{"outcome": "answered"}', 4)]


def test_a_flush_that_fails_keeps_what_was_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        count("turns", outcome="dead")  # meanwhile
        raise OperationalError("away")

    count("turns", outcome="dead")
    with monkeypatch.context() as patched:
        patched.setattr("bot.monitoring.metrics.flushing.insert_rows", fail)
        with pytest.raises(OperationalError):
            flush()
    flush()
    assert Counter.objects.get().value == 2

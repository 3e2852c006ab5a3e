"""The text that Prometheus reads."""

import pytest
from django.test import Client

from bot.models import Counter
from bot.monitoring.metrics import memory, views
from bot.tests.monitoring.metrics.scraping import samples

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    memory.pending.take()
    views.forget()


def test_rows_of_a_metric_that_is_no_more_are_passed_over(client: Client) -> None:
    Counter.objects.create(name="long_gone", labels="{}", value=1)
    Counter.objects.create(name="turns", labels='{"other": "label"}', value=1)
    assert not {name for name, *_ in samples(client)} & {"long_gone", "turns_total"}

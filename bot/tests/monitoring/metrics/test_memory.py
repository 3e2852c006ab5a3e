"""Metrics are counted in memory, with the labels of their definition, bounded."""

import json

import pytest
from django.test import Client

from bot.monitoring.metrics import count, memory, observe, views
from bot.monitoring.metrics.memory import MOST_VALUES, OTHER, Pending
from bot.tests.monitoring.metrics.scraping import samples

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    memory.pending.take()
    views.forget()


def test_labels_must_be_those_of_the_definition() -> None:
    with pytest.raises(ValueError, match="turns has the labels"):
        count("turns", code="x")
    with pytest.raises(KeyError):
        count("unheard_of")
    with pytest.raises(ValueError, match="no histogram"):
        observe("turns", 1.0, outcome="x")


def test_a_labels_values_are_cut_off_and_bounded() -> None:
    own = Pending()
    for number in range(MOST_VALUES + 5):
        own.add("input_tokens", {"model": f"{number}-" + "x" * 1000 + "\0"}, 1)
    rows = own.take()
    assert len(rows) == MOST_VALUES + 1
    assert rows["input_tokens", json.dumps({"model": OTHER})] == 5
    assert max(len(labels) for _, labels in rows) < 100


def test_durations_stand_in_every_bucket_that_holds_them(client: Client) -> None:
    for seconds in (0.25, 0.3, 59.9, 1000.0):
        observe("model_seconds", seconds, model="m")
    found = samples(client)
    buckets = [found.get(("model_seconds_bucket", bound, "m"), 0) for bound in ("0.25", "0.5", "45.0", "60.0", "+Inf")]
    assert buckets == [1, 2, 2, 3, 4]
    assert found["model_seconds_count", "m"] == 4
    assert found["model_seconds_sum", "m"] == pytest.approx(1060.45)

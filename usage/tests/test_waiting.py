"""Records without a cost, by model."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from usage import waiting
from usage.tests.admin.pricing import add_price, unpriced
from usage.tests.factories import ModelPriceFactory
from usage.tests.usages import TODAY, call
from usage.waiting import waiting_for
from users.tests.factories import alice

pytestmark = [pytest.mark.usefixtures("at_noon"), pytest.mark.database, pytest.mark.django_db]

PRICES = reverse("admin:usage_modelprice_changelist")


@pytest.fixture(autouse=True)
def _as_alice(client: Client) -> None:
    client.force_login(alice())


def test_a_record_waits_for_the_price_of_its_own_day(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    price = ModelPriceFactory.create(model="house", valid_from=TODAY)
    ModelPriceFactory.create(model="house", valid_from=TODAY - timedelta(days=3))
    for ago in (0, 2, 5):
        call(None, ago, None, model="house")
    counts, is_capped = waiting_for([price])
    assert (counts, is_capped) == ({"house": 1}, False)
    html = client.post(PRICES, {"action": "price_waiting", "_selected_action": [price.pk]}).content.decode()
    assert "house: 2 records" in html


def test_where_every_record_is_without_a_cost_the_newest_are_looked_at(client, monkeypatch):
    monkeypatch.setattr(waiting, "LOOKED_AT", 3)
    for _ in range(4):
        unpriced(10)
    assert "at least 3 usage records of house have no cost" in add_price(client)

"""The form of a price: dollars for a million tokens."""

import pytest
from django.test import Client
from django.urls import reverse

from usage.models import ModelPrice
from usage.tests.admin.pricing import add
from users.tests.factories import alice

pytestmark = [pytest.mark.usefixtures("at_noon"), pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _as_alice(client: Client) -> None:
    client.force_login(alice())


@pytest.mark.parametrize(
    ("typed", "stored"), [("0.20", 200_000), ("2", 2_000_000), ("0.000001", 1), ("0", 0), ("1234.5", 1_234_500_000)]
)
def test_rates_are_entered_in_dollars(client: Client, typed: str, stored: int) -> None:
    add(client, input_micros_per_million=typed, cached_input_micros_per_million=typed)
    price = ModelPrice.objects.get()
    assert (price.input_micros_per_million, price.cached_input_micros_per_million) == (stored, stored)
    form = client.get(reverse("admin:usage_modelprice_change", args=(price.pk,))).context["adminform"].form
    assert form["output_micros_per_million"].value() == "1.50"
    assert add(client, valid_from="2026-03-19").status_code == 200
    assert ModelPrice.objects.latest("pk").cached_input_micros_per_million is None


@pytest.mark.parametrize("typed", ["-1", "0.0000001", "a lot", "", "1e400", "NaN"])
def test_what_is_no_amount_is_a_form_error(client: Client, typed: str) -> None:
    response = add(client, input_micros_per_million=typed)
    assert set(response.context["adminform"].form.errors) == {"input_micros_per_million"}
    assert not ModelPrice.objects.exists()

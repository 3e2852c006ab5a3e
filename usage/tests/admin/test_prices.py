"""Prices in the admin: entered in dollars, listed with their history, and with the models that have none."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from usage.models import ModelPrice, UsageRecord
from usage.tests.factories import ModelPriceFactory
from usage.tests.usages import NOON, TODAY, call
from usage.waiting import waiting_for
from users.tests.factories import alice, bob

pytestmark = pytest.mark.django_db

PRICES = reverse("admin:usage_modelprice_changelist")
ADD = reverse("admin:usage_modelprice_add")


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture(autouse=True)
def _as_alice(client: Client) -> None:
    client.force_login(alice())


def add(client: Client, **fields: Any) -> Any:
    rates = {"input_micros_per_million": "0.20", "output_micros_per_million": "1.5"}
    return client.post(ADD, {"model": "house", "valid_from": str(TODAY), **rates, **fields}, follow=True)


def said(response: Any) -> str:
    return "\n".join(str(message) for message in response.context["messages"])


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


def test_the_history_of_each_model_shows_what_is_in_force_and_until_when(client: Client) -> None:
    for model, valid_from in (
        ("house", TODAY + timedelta(days=10)),
        ("house", date(2026, 1, 1)),
        ("other", TODAY),
        ("house", date(2026, 2, 1)),
    ):
        ModelPriceFactory.create(model=model, valid_from=valid_from)
    listed = client.get(PRICES).context["cl"].result_list
    admin = client.get(PRICES).context["cl"].model_admin
    shown = [
        (price.model, str(price.valid_from), *(str(text) for text in (admin.state(price), admin.until(price))))
        for price in listed
    ]
    assert [(model, day, state.split(">")[1].split("<")[0], until) for model, day, state, until in shown] == [
        ("house", "2026-03-30", "to come", "–"), ("house", "2026-02-01", "in force", "March 29, 2026"),
        ("house", "2026-01-01", "past", "Jan. 31, 2026"), ("other", "2026-03-20", "in force", "–"),
    ]  # fmt: skip


def test_the_bundled_price_that_a_price_overrides_is_beside_it(client: Client, settings: Any) -> None:
    settings.OPENAI_BASE_URL = "https://api.openai.com/v1"
    ModelPriceFactory.create(model="gpt-4.1-mini")
    assert "$0.40 / $0.10 / $1.60" in client.get(PRICES).content.decode()
    ModelPrice.objects.update(model="nobody-knows-it")
    assert "$0.40" not in client.get(PRICES).content.decode()


def test_a_price_of_a_day_in_the_past_says_what_it_does_not_change(client: Client) -> None:
    assert "is in the past" in said(add(client, valid_from="2026-03-19"))
    assert "is in the past" not in said(add(client))
    assert "is in the past" not in said(add(client, valid_from="2026-03-21"))


def test_models_without_a_price_are_listed_with_the_way_to_set_one(client: Client) -> None:
    for ago in (1, 5):
        call(None, ago, None, model="new & shiny", model_answered="x")
    call(None, 2, None, model="priced")
    call(None, 2, 5, model="known")
    ModelPriceFactory.create(model="priced")
    html = client.get(PRICES).content.decode()
    link = f"{ADD}?model=new%20%26%20shiny&amp;valid_from=2026-03-15"
    assert link in html
    assert "has a price now" in html
    assert "model=priced&amp;valid_from" not in html
    assert "model=known" not in html
    form = client.get(link.replace("&amp;", "&")).context["adminform"].form
    assert (form["model"].value(), str(form["valid_from"].value())) == ("new & shiny", "2026-03-15")
    client.force_login(bob(role="admin"))
    html = client.get(PRICES).content.decode()
    assert "new &amp; shiny" in html
    assert "Set a price" not in html


def test_where_every_model_has_a_price_there_is_no_such_list(client: Client) -> None:
    call(None, 2, 5)
    assert "Used lately without a price" not in client.get(PRICES).content.decode()


def test_pricing_asks_first_and_says_how_many_records_of_which_model(client: Client) -> None:
    house, other = ModelPriceFactory.create(model="house"), ModelPriceFactory.create(model="other")
    for ago in (1, 2):
        call(None, ago, None, model="house")
    call(None, 1, None, model="auto", model_answered="other")
    call(None, 1, None, model="elsewhere")
    data: dict[str, Any] = {"action": "price_waiting", "_selected_action": [house.pk, other.pk]}
    html = client.post(PRICES, data).content.decode()
    assert "house: 2 records" in html
    assert "other: 1 record<" in html
    assert "elsewhere" not in html
    assert UsageRecord.objects.unpriced().count() == 4
    client.post(PRICES, {**data, "confirmed": "1"})
    assert UsageRecord.objects.unpriced().count() == 1


def test_pricing_where_nothing_waits_offers_the_way_back_only(client: Client) -> None:
    price = ModelPriceFactory.create()
    html = client.post(PRICES, {"action": "price_waiting", "_selected_action": [price.pk]}).content.decode()
    assert "Price them" not in html
    assert "Back to the list" in html


def test_a_record_waits_for_the_price_of_its_own_day(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    price = ModelPriceFactory.create(model="house", valid_from=TODAY)
    ModelPriceFactory.create(model="house", valid_from=TODAY - timedelta(days=3))
    for ago in (0, 2, 5):
        call(None, ago, None, model="house")
    counts, is_capped = waiting_for([price])
    assert (counts, is_capped) == ({"house": 1}, False)
    html = client.post(PRICES, {"action": "price_waiting", "_selected_action": [price.pk]}).content.decode()
    assert "house: 2 records" in html

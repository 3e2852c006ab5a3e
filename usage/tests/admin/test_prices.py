"""Prices in the admin: entered in dollars, listed with their history, and with the models that have none."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from usage.admin import prices
from usage.models import ModelPrice, UsageRecord
from usage.prices import price_completion
from usage.tests.admin.pricing import ADD, add, add_price, unpriced
from usage.tests.factories import ModelPriceFactory
from usage.tests.usages import TODAY, call
from users.tests.factories import alice, bob

pytestmark = [pytest.mark.usefixtures("at_noon"), pytest.mark.database, pytest.mark.django_db]

PRICES = reverse("admin:usage_modelprice_changelist")


@pytest.fixture(autouse=True)
def _as_alice(client: Client) -> None:
    client.force_login(alice())


def said(response: Any) -> str:
    return "\n".join(str(message) for message in response.context["messages"])


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


def cost_of_a_million():
    return price_completion(
        provider="openai",
        base_url="http://localhost/v1",
        model="house",
        model_answered="",
        input_tokens=1_000_000,
        cached_input_tokens=0,
        output_tokens=0,
        on=date(2026, 11, 1),
    ).cost_micros


def test_a_price_counts_from_the_moment_it_is_saved_until_it_is_deleted(client):
    assert cost_of_a_million() is None
    data = {"model": "house", "valid_from": "2026-01-01", "input_micros_per_million": "0.20"}
    client.post(reverse("admin:usage_modelprice_add"), {**data, "output_micros_per_million": "0.5"})
    assert cost_of_a_million() == 200_000
    price = ModelPrice.objects.get()
    assert str(price) == "house from 2026-01-01"
    client.post(reverse("admin:usage_modelprice_delete", args=[price.pk]), {"post": "yes"})
    assert cost_of_a_million() is None
    price = ModelPriceFactory.create(model="house")
    client.post(PRICES, {"action": "delete_selected", "_selected_action": [price.pk], "post": "yes"})
    assert not ModelPrice.objects.exists()
    assert cost_of_a_million() is None


def test_prices_are_listed_in_dollars_and_explained(client):
    ModelPriceFactory.create()
    ModelPriceFactory.create(model="other", cached_input_micros_per_million=None)
    html = client.get(PRICES).content.decode()
    assert "$1.00" in html
    assert "$0.10" in html
    assert "$2.00" in html
    form = client.get(reverse("admin:usage_modelprice_add")).content.decode()
    assert "Dollars for a million tokens, such as 0.20." in form


@pytest.mark.parametrize("wrong", [{"input_micros_per_million": "-1"}, {"model": ""}, {"valid_from": "soon"}])
def test_a_wrong_price_is_a_form_error(client, wrong):
    data = {
        "model": "house",
        "valid_from": "2026-01-01",
        "input_micros_per_million": "1",
        "output_micros_per_million": "1",
    }
    response = client.post(reverse("admin:usage_modelprice_add"), {**data, **wrong})
    assert set(response.context["adminform"].form.errors) == set(wrong)
    assert not ModelPrice.objects.exists()


def test_a_second_price_of_a_model_and_day_is_a_form_error(client):
    ModelPriceFactory.create()
    data = {"model": "house-model", "valid_from": "2026-01-01"}
    rates = {"input_micros_per_million": "1", "output_micros_per_million": "1"}
    assert client.post(reverse("admin:usage_modelprice_add"), {**data, **rates}).status_code == 200
    assert ModelPrice.objects.count() == 1


def test_a_new_price_says_how_many_records_wait_for_it(client):
    unpriced(10)
    unpriced(11, model="auto", model_answered="house")
    unpriced(9)
    unpriced(10, model="other")
    unpriced(10, cost_micros=1)
    assert "2 usage records of house have no cost" in add_price(client)
    assert "no cost" not in add_price(client, model="nobody-used")


def test_an_action_prices_what_waits_for_the_selected_models_and_no_more_than_a_request_has_time_for(
    client, monkeypatch
):
    monkeypatch.setattr(prices, "REPRICED_BY_ACTION", 2)
    monkeypatch.setattr("usage.repricing.FIRST_SIZE", 2)
    for _ in range(3):
        unpriced(10)
    other = unpriced(10, model="other")
    price = ModelPriceFactory.create(model="house")
    ModelPriceFactory.create(model="other")
    data = {"action": "price_waiting", "_selected_action": [price.pk], "confirmed": "1"}
    assert "2 records priced: $0.000240." in client.post(PRICES, data, follow=True).content.decode()
    assert "1 record priced: $0.000120." in client.post(PRICES, data, follow=True).content.decode()
    other.refresh_from_db()
    assert other.cost_micros is None


def test_who_may_only_see_spending_cannot_price(client):
    unpriced(10)
    price = ModelPriceFactory.create(model="house")
    client.force_login(bob(role="admin"))
    assert client.get(PRICES).status_code == 200
    client.post(PRICES, {"action": "price_waiting", "_selected_action": [price.pk], "confirmed": "1"})
    assert UsageRecord.objects.unpriced().count() == 1

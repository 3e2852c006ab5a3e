from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from usage import waiting
from usage.admin import prices
from usage.models import DailySpend, ModelPrice, UsageRecord
from usage.prices import price_completion
from usage.tests.factories import ModelPriceFactory, UsageRecordFactory
from users.tests.factories import alice, bob

pytestmark = [pytest.mark.database, pytest.mark.django_db]

RECORDS = reverse("admin:usage_usagerecord_changelist")
PRICES = reverse("admin:usage_modelprice_changelist")


@pytest.fixture(autouse=True)
def _as_alice(client):
    client.force_login(alice())


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


@pytest.mark.parametrize(("term", "found"), [("0049 (0)171 123-4567", 1), ("", 2), ("+15550000000", 0), ("gpt", 0)])
def test_records_are_found_by_person(client, term, found):
    UsageRecordFactory.create(user=bob(phone_number="+491711234567"))
    UsageRecordFactory.create()
    assert len(client.get(RECORDS, {"q": term}).context["cl"].result_list) == found


def test_the_list_never_counts_every_record_nor_asks_once_a_row(client):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            client.get(RECORDS)
        return [query["sql"] for query in captured]

    UsageRecordFactory.create()
    few = queries()
    UsageRecordFactory.create_batch(10)
    many = queries()
    assert len(many) == len(few)
    counts = [sql for sql in many if "COUNT(*)" in sql]
    assert counts
    assert all("LIMIT" in sql for sql in counts)


def test_records_cannot_be_added_or_changed(client):
    record = UsageRecordFactory.create()
    url = reverse("admin:usage_usagerecord_change", args=[record.pk])
    assert client.get(reverse("admin:usage_usagerecord_add")).status_code == 403
    assert client.get(url).status_code == 200
    assert client.post(url, {"cost_micros": "0"}).status_code == 403
    record.refresh_from_db()
    assert record.cost_micros == 1_000


def test_an_unknown_cost_is_shown_as_unknown(client):
    UsageRecordFactory.create(cost_micros=None)
    assert "unknown" in client.get(RECORDS).content.decode()


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


def test_what_a_day_has_cost_is_shown_for_each_person_each_bot_and_everybody_and_cannot_be_changed(client):
    day, person = date(2026, 11, 1), bob()
    mine = DailySpend.objects.create(user=person, day=day, spent_micros=1_500_000, reserved_micros=20)
    DailySpend.objects.create(day=day, spent_micros=2_000_000)
    DailySpend.objects.create(day=day, bot="front-desk", spent_micros=1_900_000)

    page = client.get(reverse("admin:usage_dailyspend_changelist")).content.decode()
    assert all(text in page for text in ("$1.500000", "$0.000020", "$2.000000", "everybody together"))
    assert all(text in page for text in ("front-desk", "$1.900000", "all bots together"))
    found = client.get(reverse("admin:usage_dailyspend_changelist"), {"q": str(person.phone_number)}).content.decode()
    assert "$1.500000" in found
    assert "$2.000000" not in found
    assert (
        client.post(reverse("admin:usage_dailyspend_change", args=(mine.pk,)), {"spent_micros": 0}).status_code == 403
    )


def add_price(client, **fields):
    data = {"model": "house", "valid_from": "2026-03-10", "input_micros_per_million": "1"}
    url = reverse("admin:usage_modelprice_add")
    response = client.post(url, {**data, "output_micros_per_million": "2", **fields}, follow=True)
    return "\n".join(str(message) for message in response.context["messages"])


def unpriced(day, **fields):
    moment = datetime(2026, 3, day, 12, tzinfo=UTC)
    return UsageRecordFactory.create(**{"model": "house", "cost_micros": None, "created_at": moment, **fields})


def test_a_new_price_says_how_many_records_wait_for_it(client):
    unpriced(10)
    unpriced(11, model="auto", model_answered="house")
    unpriced(9)
    unpriced(10, model="other")
    unpriced(10, cost_micros=1)
    assert "2 usage records of house have no cost" in add_price(client)
    assert "no cost" not in add_price(client, model="nobody-used")


def test_where_every_record_is_without_a_cost_the_newest_are_looked_at(client, monkeypatch):
    monkeypatch.setattr(waiting, "LOOKED_AT", 3)
    for _ in range(4):
        unpriced(10)
    assert "at least 3 usage records of house have no cost" in add_price(client)


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

"""The list of usage records in the admin: found, shown and never changed."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from usage.tests.admin.lists import RECORDS, costs
from usage.tests.factories import UsageRecordFactory
from usage.tests.usages import TODAY, call
from users.tests.factories import UserFactory, alice, bob

pytestmark = [pytest.mark.usefixtures("at_noon"), pytest.mark.database, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _as_alice(client):
    client.force_login(alice())


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


def test_the_newest_records_come_first_whatever_their_ids_are(client: Client) -> None:
    for ago in (3, 1, 2):
        call(None, ago, ago)
    assert costs(client) == [1, 2, 3]


def test_a_record_shows_whose_it_is_and_leads_to_them(client: Client) -> None:
    anna = bob()
    call(anna, 0, 1_234)
    call(None, 1, None)
    html = client.get(RECORDS).content.decode()
    assert f'href="{reverse("admin:users_user_change", args=(anna.pk,))}"' in html
    assert "$0.001234" in html
    assert "unknown" in html


@pytest.mark.parametrize("asked", [{}, {"bot": "shop"}, {"person": "0"}, {"from": str(TODAY), "to": str(TODAY)}])
def test_the_list_takes_as_many_queries_with_many_rows_as_with_few(
    client: Client, asked: dict[str, str], django_assert_num_queries: Any
) -> None:
    call(None, 0, 1)
    client.get(RECORDS, asked)
    for _ in range(20):
        call(UserFactory.create(), 0, 1)
        call(None, 0, 1)
    with django_assert_num_queries(6):
        client.get(RECORDS, asked)

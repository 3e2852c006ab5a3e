"""The lists of records and of days: narrowed by what an index finds, and by the rest only within a bounded time."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from usage.models import DailySpend, UsageRecord
from usage.tests.admin.lists import RECORDS, costs, found
from usage.tests.usages import TODAY, answer, call, day
from users.tests.factories import alice, bob

pytestmark = [pytest.mark.usefixtures("at_noon"), pytest.mark.database, pytest.mark.django_db]

DAYS = reverse("admin:usage_dailyspend_changelist")


@pytest.fixture(autouse=True)
def _as_alice(client: Client) -> None:
    client.force_login(alice())


def choices(client: Client, **asked: Any) -> dict[str, list[str]]:
    response = client.get(RECORDS, asked)
    specs = response.context["cl"].filter_specs
    return {
        str(spec.title): [str(one["display"]) for one in spec.choices(response.context["cl"]) if one["selected"]]
        for spec in specs
    }


def test_records_are_narrowed_by_days_person_bot_model_kind_and_missing_cost(client: Client) -> None:
    anna = bob()
    call(anna, 0, 1)
    call(anna, 1, 2, bot="desk")
    call(None, 2, 3, model="large")
    call(None, 3, 4, kind="transcription")
    call(None, 4, None)
    assert costs(client, from_=day(1), to=day(0)) == [1, 2]
    assert costs(client, from_=day(3), to=day(3)) == [4]
    assert costs(client, person=anna.pk) == [1, 2]
    assert costs(client, person=0) == [3, 4, None]
    assert costs(client, bot="desk") == [2]
    assert costs(client, model="large") == [3]
    assert costs(client, kind="transcription") == [4]
    assert costs(client, cost="unknown") == [None]
    assert costs(client, person=anna.pk, bot="shop", from_=day(4), to=day(0)) == [1]


@pytest.mark.parametrize("asked", [{"bot": "shop"}, {"model": "small"}, {"kind": "completion"}, {"cost": "unknown"}])
def test_what_no_index_finds_is_looked_for_in_a_week_and_in_a_month_at_most(
    client: Client, asked: dict[str, str]
) -> None:
    for ago in (0, 6, 7, 30, 31):
        call(None, ago, None)
    assert len(found(client, **asked)) == 2
    assert choices(client, **asked)["period"] == ["7 days"]
    assert len(found(client, **asked, from_=day(30), to=day(0))) == 4
    assert len(found(client, **asked, from_=day(60), to=day(0))) == 4
    assert len(found(client, from_=day(60), to=day(0))) == 5
    assert len(found(client, **asked, person=0)) == 5


def test_the_bots_and_models_of_a_month_can_be_chosen(client: Client) -> None:
    call(None, 1, 1, bot="new")
    call(None, 20, 1, bot="older", model="large")
    answer()
    response = client.get(RECORDS)
    offered = {
        str(spec.title): [str(one) for one, _ in spec.lookup_choices]
        for spec in response.context["cl"].filter_specs[1:3]
    }
    assert offered == {"bot": ["new", "older"], "model": ["large", "small"]}


@pytest.mark.parametrize(
    "asked",
    [
        {"person": "bob"},
        {"person": "9" * 30},
        {"bot": "\x00"},
        {"model": "a\x00"},
        {"bot": "nobody's"},
        {"person": "77"},
    ],
)
def test_what_cannot_be_is_not_found(client: Client, asked: dict[str, str]) -> None:
    call(bob(), 0, 1)
    assert found(client, **asked) == []


@pytest.mark.parametrize(
    "asked", [{"from": "x", "to": "y"}, {"from": "2026-03-01"}, {"from": "0001-01-01", "to": "9999-12-31"}]
)
def test_a_period_that_makes_no_sense_leads_to_the_whole_list(client: Client, asked: dict[str, str]) -> None:
    call(bob(), 0, 1)
    response = client.get(RECORDS, asked)
    assert (response.status_code, response["Location"]) == (302, f"{RECORDS}?e=1")


def test_nothing_can_be_done_to_what_happened(client: Client) -> None:
    call(bob(), 0, 1)
    DailySpend.objects.create(day=TODAY)
    for address in (RECORDS, DAYS):
        assert "action-checkbox" not in client.get(address).content.decode()
        key = UsageRecord.objects.get().pk
        client.post(address, {"action": "delete_selected", "_selected_action": [key], "post": "yes"})
    assert (UsageRecord.objects.count(), DailySpend.objects.count()) == (1, 1)

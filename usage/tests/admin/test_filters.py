"""The lists of records and of days: narrowed by what an index finds, and by the rest only within a bounded time."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bot.tests.support.factories import BotFactory
from usage.models import DailySpend, UsageRecord
from usage.tests.usages import NOON, TODAY, answer, call, day
from users.tests.factories import UserFactory, alice, bob, charlie

pytestmark = [pytest.mark.database, pytest.mark.django_db]

RECORDS = reverse("admin:usage_usagerecord_changelist")
DAYS = reverse("admin:usage_dailyspend_changelist")


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture(autouse=True)
def _as_alice(client: Client) -> None:
    client.force_login(alice())


def found(client: Client, address: str = RECORDS, **asked: Any) -> list[Any]:
    response = client.get(address, {name.rstrip("_"): value for name, value in asked.items()})
    assert response.status_code == 200
    return list(response.context["cl"].result_list)


def costs(client: Client, **asked: Any) -> list[int]:
    return [record.cost_micros for record in found(client, **asked)]


def choices(client: Client, **asked: Any) -> dict[str, list[str]]:
    response = client.get(RECORDS, asked)
    specs = response.context["cl"].filter_specs
    return {
        str(spec.title): [str(one["display"]) for one in spec.choices(response.context["cl"]) if one["selected"]]
        for spec in specs
    }


def test_the_newest_records_come_first_whatever_their_ids_are(client: Client) -> None:
    for ago in (3, 1, 2):
        call(None, ago, ago)
    assert costs(client) == [1, 2, 3]


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


def test_days_are_narrowed_by_whose_they_are_and_by_when(client: Client) -> None:
    person = bob()
    for ago in (1, 0):
        for owner in ({"user": person}, {"bot": "shop"}, {"bot": "desk"}, {}):
            DailySpend.objects.create(day=day(ago), spent_micros=1, **owner)
    assert [row.day for row in found(client, DAYS)] == [day(0)] * 4 + [day(1)] * 4
    assert [row.day for row in found(client, DAYS, of="everybody")] == [day(0), day(1)]
    bots = [(row.day, row.bot) for row in found(client, DAYS, of="bots")]
    assert bots == [(day(0), "desk"), (day(0), "shop"), (day(1), "desk"), (day(1), "shop")]
    assert [(row.day, row.user_id) for row in found(client, DAYS, of="people")] == [
        (day(0), person.pk),
        (day(1), person.pk),
    ]
    assert [row.day for row in found(client, DAYS, days="1-1")] == [day(1)] * 4
    assert len(found(client, DAYS, days="6-0")) == 8
    assert len(found(client, DAYS, q=person.phone_number)) == 2
    assert len(found(client, DAYS, days="0-0", of="bots")) == 2
    assert len(found(client, DAYS, days="nonsense", of="nonsense")) == 8


def test_a_day_shows_how_much_of_each_budget_is_used_up(client: Client, settings: Any) -> None:
    settings.DAILY_BUDGET_MICROS, settings.USER_DAILY_BUDGET_MICROS = 4_000_000, 8_000_000
    BotFactory.create(slug="shop", daily_budget_micros=2_000_000)
    BotFactory.create(slug="desk")
    for owner in (
        {"user": bob(daily_budget_micros=500_000)}, {"user": charlie()}, {"bot": "shop"}, {"bot": "desk"},
        {"bot": "gone"}, {},
    ):  # fmt: skip
        DailySpend.objects.create(day=TODAY, spent_micros=1_000_000, **owner)
    html = client.get(DAYS).content.decode()
    for words in ("200.0 % of $0.50", "12.5 % of $8.00", "50.0 % of $2.00", "25.0 % of $4.00"):
        assert words in html
    assert html.count("<meter") == 4 + 2, "and above the list those of today's bots and of everybody"
    assert 'value="100"' in html


def test_a_budget_of_nothing_is_used_up(client: Client) -> None:
    DailySpend.objects.create(day=TODAY, user=bob(daily_budget_micros=0))
    assert "100.0 % of $0.00" in client.get(DAYS).content.decode()


def test_the_list_of_days_takes_as_many_queries_with_many_rows_as_with_few(client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(DAYS)
        return len(captured)

    DailySpend.objects.create(day=TODAY, user=bob())
    few = queries()
    for number in range(20):
        DailySpend.objects.create(day=TODAY, user=UserFactory.create())
        DailySpend.objects.create(day=TODAY, bot=f"bot-{number}")
    assert queries() == few == 5


def test_nothing_can_be_done_to_what_happened(client: Client) -> None:
    call(bob(), 0, 1)
    DailySpend.objects.create(day=TODAY)
    for address in (RECORDS, DAYS):
        assert "action-checkbox" not in client.get(address).content.decode()
        key = UsageRecord.objects.get().pk
        client.post(address, {"action": "delete_selected", "_selected_action": [key], "post": "yes"})
    assert (UsageRecord.objects.count(), DailySpend.objects.count()) == (1, 1)

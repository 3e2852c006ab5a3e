"""What days have cost, in the admin."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bot.tests.support.factories import BotFactory
from usage.models import DailySpend
from usage.tests.admin.lists import found
from usage.tests.usages import TODAY, day
from users.tests.factories import UserFactory, alice, bob, charlie

pytestmark = [pytest.mark.usefixtures("at_noon"), pytest.mark.database, pytest.mark.django_db]

DAYS = reverse("admin:usage_dailyspend_changelist")


@pytest.fixture(autouse=True)
def _as_alice(client):
    client.force_login(alice())


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

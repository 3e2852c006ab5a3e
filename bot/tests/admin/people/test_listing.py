"""The list of people: what it shows of each, its filters, and that it costs the same for many as for few."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bot.admin.people.listing import default_cap
from bot.tests.support.factories import BotFactory
from usage.days import day_start, today
from usage.models import DailySpend
from users.models import User
from users.roles import Role
from users.tests.factories import IdentityFactory, UserFactory, alice, bob

pytestmark = [pytest.mark.database, pytest.mark.django_db]
LIST = reverse("admin:users_user_changelist")


@pytest.fixture
def as_owner(client: Client, settings: Any) -> Client:
    settings.USER_DAILY_BUDGET_MICROS = None
    client.force_login(alice(phone_number="+491700000001"))
    return client


def spend(person: User, micros: int, *, reserved: int = 0, days_ago: int = 0) -> None:
    day = today() - timedelta(days=days_ago)
    DailySpend.objects.create(user=person, day=day, spent_micros=micros, reserved_micros=reserved)


def listed(client: Client, **query: str) -> list[str]:
    return [person.name for person in client.get(LIST, query).context["cl"].result_list]


def cell(client: Client, person: User) -> str:
    """Return what the list says of somebody's spending."""
    page = client.get(LIST, {"q": str(person.phone_number)}).content.decode()
    return page.partition("field-spent")[2].partition("</td>")[0].partition(">")[2]


def test_each_has_name_number_role_whitelist_and_when_they_were_seen(as_owner: Client) -> None:
    UserFactory.create(
        name="Dana",
        phone_number="+491711234567",
        role=Role.ADMIN,
        is_whitelisted=False,
        last_seen_at=timezone.now() - timedelta(hours=3),
    )
    page = as_owner.get(LIST, {"q": "Dana"}).content.decode()
    assert all(text in page for text in ("Dana", "+491711234567", 'class="desk-chip good">Admin<', "3\xa0hours ago"))
    assert 'class="desk-chip bad">No<' in page
    assert "never" in as_owner.get(LIST, {"q": "Alice"}).content.decode()


@pytest.mark.parametrize(
    ("budget", "spent", "reserved", "text"),
    [
        (None, 0, 0, "–"),
        (None, 310_000, 0, "$0.31"),
        (500_000, 0, 0, "–"),
        (500_000, 310_000, 0, "$0.31 of $0.50"),
        (500_000, 310_000, 90_000, '<span class="desk-chip warn">$0.40 of $0.50</span>'),
        (500_000, 500_000, 0, '<span class="desk-chip bad">$0.50 of $0.50</span>'),
        (0, 10_000, 0, '<span class="desk-chip bad">$0.01 of $0.00</span>'),
    ],
)
def test_what_somebody_spent_today_of_what_budget(
    as_owner: Client, budget: int | None, spent: int, reserved: int, text: str
) -> None:
    person = UserFactory.create(daily_budget_micros=budget)
    spend(person, spent, reserved=reserved)
    spend(person, 400_000, days_ago=1)
    spend(UserFactory.create(), 400_000)
    assert cell(as_owner, person) == text


def test_the_default_budget_is_the_smallest_that_an_active_bot_gives(settings: Any) -> None:
    settings.USER_DAILY_BUDGET_MICROS = None
    assert default_cap() is None
    settings.USER_DAILY_BUDGET_MICROS = 300
    assert default_cap() == 300, "without bots the installation's"
    BotFactory.create(user_daily_budget_micros=500)
    assert default_cap() == 500, "a bot's own counts for who talks to it"
    BotFactory.create(user_daily_budget_micros=100, is_active=False)
    BotFactory.create()
    assert default_cap() == 300


def test_people_are_filtered_by_when_they_were_seen_the_last_first(as_owner: Client) -> None:
    now, midnight = timezone.now(), day_start(today())
    for name, at in (
        ("month", now - timedelta(days=29)),
        ("at midnight", midnight),
        ("yesterday", midnight - timedelta(seconds=1)),
        ("week", now - timedelta(days=6, hours=23)),
        ("long ago", now - timedelta(days=31)),
        ("longer ago", now - timedelta(days=300)),
    ):
        UserFactory.create(name=name, last_seen_at=at)
    assert listed(as_owner, seen="today") == ["at midnight"]
    assert listed(as_owner, seen="7") == ["at midnight", "yesterday", "week"]
    assert listed(as_owner, seen="30") == ["at midnight", "yesterday", "week", "month"]
    assert listed(as_owner, seen="longer") == ["long ago", "longer ago"]
    assert listed(as_owner, seen="never") == ["Alice"]
    assert listed(as_owner)[0] == "longer ago", "who was added last is the first of the list"


def test_people_are_filtered_by_how_much_of_todays_budget_they_used(as_owner: Client) -> None:
    for name, budget, spent, reserved in (
        ("all", 1_000, 1_000, 0),
        ("more", 1_000, 5_000, 0),
        ("nearly", 1_000, 700, 100),
        ("most", 1_000, 799, 0),
        ("default", None, 2_000_000, 0),
        ("none", 1_000, 0, 0),
    ):
        spend(UserFactory.create(name=name, daily_budget_micros=budget), spent, reserved=reserved)
    spend(UserFactory.create(name="yesterday", daily_budget_micros=1_000), 1_000, days_ago=1)
    DailySpend.objects.create(day=today(), spent_micros=10**9)
    DailySpend.objects.create(day=today(), bot="shop", spent_micros=10**9)
    assert listed(as_owner, budget="over") == ["more", "all"]
    assert listed(as_owner, budget="near") == ["nearly", "more", "all"]
    BotFactory.create(user_daily_budget_micros=2_000_000)
    assert listed(as_owner, budget="over") == ["default", "more", "all"]


def test_filters_and_a_search_go_together(as_owner: Client) -> None:
    now = timezone.now()
    UserFactory.create(name="Dana one", last_seen_at=now)
    UserFactory.create(name="Dana two", last_seen_at=now, is_whitelisted=False)
    UserFactory.create(name="Eve", last_seen_at=now)
    assert listed(as_owner, q="Dana", seen="7", is_whitelisted__exact="1") == ["Dana one"]


def test_nobody_sorts_by_what_has_no_index(as_owner: Client) -> None:
    bob()
    changelist = as_owner.get(LIST, {"o": "1.3.4.5"}).context["cl"]
    assert set(changelist.queryset.query.order_by) == {"-pk"}


@pytest.mark.parametrize("query", ["", "?seen=7", "?budget=near", "?q=Dana", "?role__exact=user&is_staff__exact=0"])
def test_a_page_costs_as_much_for_thirty_people_as_for_three(as_owner: Client, query: str) -> None:
    def add(count: int) -> None:
        for _number in range(count):
            person = UserFactory.create(name="Dana", last_seen_at=timezone.now(), daily_budget_micros=10)
            IdentityFactory.create(user=person)
            spend(person, 9)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert as_owner.get(LIST + query).status_code == 200
        return len(captured)

    add(3)
    few = queries()
    add(27)
    assert queries() == few
    # Session and who asks; the count, the page, the bots' budgets, the day's spends; for a filter or a search two more.
    assert few <= 8


def test_who_may_not_see_spending_sees_neither_column_nor_filter(as_owner: Client, client: Client) -> None:
    owner_page = as_owner.get(LIST).content.decode()
    assert "Spent today" in owner_page and "budget of today" in owner_page
    admin = UserFactory.create(role=Role.ADMIN)
    client.force_login(admin)
    assert "Spent today" in client.get(LIST).content.decode(), "an admin sees what people spend"
    nobody = UserFactory.create()
    client.force_login(nobody)
    assert client.get(LIST).status_code == 302

"""Who spends how much, on the admin's first page."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from bot.admin.dashboard import links
from bot.admin.dashboard.costs import budgets, dearest_people, people_near_their_budget
from bot.admin.dashboard.sections import build
from bot.models import Bot
from bot.tests.admin.dashboard.asking import NOW, ids, paid, rows
from bot.tests.support.factories import BotFactory
from bot.tests.support.figure_rows import call
from usage.days import today
from usage.models import DailySpend
from users.permissions import ROLE_PERMISSIONS
from users.roles import Role
from users.tests.factories import UserFactory, alice

pytestmark = [pytest.mark.database, pytest.mark.django_db]

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
OWNER, ADMIN = ROLE_PERMISSIONS[Role.OWNER], ROLE_PERMISSIONS[Role.ADMIN]


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def shop() -> Bot:
    return BotFactory.create(slug="shop", name="Shop")


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(alice())
    return client


def test_budgets_are_told_with_what_is_spent_and_reserved(shop: Bot, settings: Any) -> None:
    settings.DAILY_BUDGET_MICROS = 10_000_000
    free, zero = BotFactory.create(slug="free"), BotFactory.create(slug="zero", daily_budget_micros=0)
    shop.daily_budget_micros = 4_000_000
    DailySpend.objects.create(day=today(), spent_micros=2_000_000, reserved_micros=500_000)
    DailySpend.objects.create(day=today(), bot="shop", spent_micros=3_900_000)
    DailySpend.objects.create(day=today() - timedelta(days=1), bot="shop", spent_micros=4_000_000)
    DailySpend.objects.create(day=today(), user=alice(), spent_micros=4_000_000)
    told = [(gauge.name, gauge.words, gauge.budget.percent, gauge.budget.tone) for gauge in budgets([shop, free, zero])]
    assert told == [
        ("Everybody together", "$2.50 of $10.00", 25, "good"),
        ("Shop", "$3.90 of $4.00", 97, "warn"),
        ("Zero", "$0.00 of $0.00", 100, "bad"),
    ]
    settings.DAILY_BUDGET_MICROS = None
    assert budgets([free]) == []


def test_people_near_their_budget_are_those_who_have_used_most_of_theirs(shop: Bot, settings: Any) -> None:
    settings.USER_DAILY_BUDGET_MICROS = 1_000
    shop.user_daily_budget_micros = 500
    own = UserFactory.create(name="Own", daily_budget_micros=100)
    of_bot, of_all = UserFactory.create(name="Of bot"), UserFactory.create(name="Of all")
    for person, bot, micros in ((own, "shop", 80), (of_bot, "shop", 400), (of_all, "other", 800)):
        paid(bot, micros, person)
        call(bot, NOON, 10_000, user=person)
    for bot, micros in (("shop", 399), ("other", 799)):
        paid(bot, micros, UserFactory.create(name="Far"))
    near, others = people_near_their_budget([shop])
    assert [(gauge.name.split(" (")[0], gauge.words) for gauge in near] == [
        ("Of all", "$0.0008 of $0.001"),
        ("Of bot", "$0.0004 of $0.0005"),
        ("Own", "$0.00008 of $0.0001"),
    ]
    assert others == 0 and near[0].href == links.person(of_all.pk)
    settings.USER_DAILY_BUDGET_MICROS = None
    shop.user_daily_budget_micros = None
    assert len(people_near_their_budget([shop])[0]) == 1


def test_more_people_near_their_budget_than_are_shown_are_counted() -> None:
    for _ in range(7):
        paid("shop", 100, UserFactory.create(daily_budget_micros=100))
    near, others = people_near_their_budget([])
    assert (len(near), others) == (5, 2)


def test_the_dearest_people_and_models_lead_to_their_calls(owner: Client, shop: Bot) -> None:
    zoe, max_ = UserFactory.create(name="Zoe"), UserFactory.create(name="Max")
    dear = call("shop", NOW, 900, user=zoe, model="gpt-6"), call("shop", NOW, 500, user=zoe, model="gpt-6-luna")
    cheap = call("shop", NOW, 1_000, user=max_, model="gpt-6-luna")
    call("shop", NOW - timedelta(hours=25), 9_000, user=max_)
    people = dearest_people()
    assert [(one.name.split(" (")[0], one.amount, one.share) for one in people] == [
        ("Zoe", "$0.0014", 100),
        ("Max", "$0.001", 71),
    ]
    assert rows(owner, people[0].href) == ids(*dear)
    assert [one.amount for one in dearest_people(shop)] == ["$0.0014", "$0.001"]
    assert dearest_people(BotFactory.create(slug="other")) == []
    models = build(OWNER).models or []
    assert [(one.name, one.amount) for one in models] == [("gpt-6-luna", "$0.0105"), ("gpt-6", "$0.0009")]
    assert rows(owner, models[1].href) == ids(dear[0]) and cheap.pk in rows(owner, models[0].href)

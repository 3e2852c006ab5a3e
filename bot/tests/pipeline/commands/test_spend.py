"""/spend: what everybody has cost, what is left of the budgets, and who and what cost most."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bot.models import Bot
from bot.pipeline.commands.spend import spending_text
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import BOB, BotFactory, whitelisted
from usage.days import today
from usage.models import DailySpend
from usage.tests.factories import UsageRecordFactory
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory

ADMIN = "+4915100000002"
DOLLAR = 1_000_000

Ask = Callable[..., str]


@pytest.fixture(autouse=True)
def admin(turns_db: None) -> User:
    return whitelisted(ADMIN, name="Adam", role=Role.ADMIN)


def test_without_any_usage_there_are_two_lines(ask: Ask) -> None:
    assert ask("/spend", ADMIN) == "Today: 0 answers, 0 tokens, $0.00\nLast 30 days: 0 answers, 0 tokens, $0.00"


def test_everybodys_spending_is_summed_up_for_staff(ask: Ask) -> None:
    bob = UserFactory.create(name="Bob", phone_number=BOB)
    carla = UserFactory.create(name="Carla")
    UsageRecordFactory(user=bob, cost_micros=2 * DOLLAR)
    UsageRecordFactory(user=carla, cost_micros=None, model="house-model")
    UsageRecordFactory(user=None, cost_micros=DOLLAR // 2, created_at=timezone.now() - timedelta(days=3))
    UsageRecordFactory(
        user=carla, cost_micros=5 * DOLLAR, model="gpt-6-sol", created_at=timezone.now() - timedelta(days=28)
    )
    UsageRecordFactory(user=carla, cost_micros=70 * DOLLAR, created_at=timezone.now() - timedelta(days=31))

    assert ask("/spend", ADMIN).splitlines() == [
        "Today: 2 answers, 220 tokens, at least $2.00",
        "Last 30 days: 4 answers, 440 tokens, at least $7.50",
        "People who cost most in the last 30 days:",
        f"· Carla ({carla.phone_number}): $5.00",
        f"· Bob ({BOB}): $2.00",
        "Models that cost most in the last 30 days:",
        "· gpt-6-sol: $5.00",
        "· gpt-6-luna: $2.50",
    ]


def test_five_people_and_models_are_named(ask: Ask) -> None:
    for number in range(7):
        UsageRecordFactory(user__name=f"Person {number}", model=f"model-{number}", cost_micros=(number + 1) * DOLLAR)

    lines = ask("/spend", ADMIN).splitlines()

    people, models = lines[3:8], lines[9:]
    assert [line.split(" (")[0] for line in people] == [f"· Person {number}" for number in (6, 5, 4, 3, 2)]
    assert models == [f"· model-{number}: ${number + 1}.00" for number in (6, 5, 4, 3, 2)]


def test_each_budget_is_shown_with_what_is_used_of_it(ask: Ask, bot: ActiveBot, settings: Any) -> None:
    settings.DAILY_BUDGET_MICROS = 10 * DOLLAR
    Bot.objects.filter(pk=bot.id).update(daily_budget_micros=4 * DOLLAR)
    BotFactory(slug="closed", daily_budget_micros=0)
    BotFactory(slug="free")
    spends = [(None, "", 2, 0), (None, "shop", 1, 2), (None, "free", 1, 0), (UserFactory.create(), "", 9, 9)]
    for user, slug, spent, reserved in spends:
        DailySpend.objects.create(
            user=user, bot=slug, day=today(), spent_micros=spent * DOLLAR, reserved_micros=reserved * DOLLAR
        )
    DailySpend.objects.create(user=None, bot="shop", day=today() - timedelta(days=1), spent_micros=4 * DOLLAR)

    assert ask("/spend", ADMIN).splitlines()[2:] == [
        "Today's budget: $2.00 of $10.00 (20% used)",
        "Today's budget of closed: $0.00 of $0.00 (100% used)",
        "Today's budget of shop: $3.00 of $4.00 (75% used)",
    ]


def test_the_number_of_queries_does_not_grow_with_what_there_is(settings: Any) -> None:
    settings.DAILY_BUDGET_MICROS = DOLLAR

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            spending_text()
        return len(captured)

    def fill(count: int) -> None:
        for number in range(count):
            UsageRecordFactory(model=f"model-{number}")
            BotFactory(daily_budget_micros=DOLLAR)

    fill(1)
    few = queries()
    fill(20)
    assert queries() == few <= 7

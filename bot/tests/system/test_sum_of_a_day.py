"""One day has one sum, wherever it is shown: what its calls cost, and what they count in budgets.

Costs are of the records and of the days that were folded, without the calls of no known price. Budgets count these as
settings.UNPRICED_MICROS_PER_MILLION. Both have the calls of people who were erased, of previews and of tests by staff.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from bot.admin.dashboard.costs import budgets, people_near_their_budget
from bot.admin.people.listing import today_of
from bot.admin.people.person_page import _spending
from bot.models import Bot
from bot.monitoring.metrics.gauges import read_gauges
from bot.operations.alerts import _due
from bot.operations.figures.folding import fold_night
from bot.operations.figures.history import history
from bot.pipeline.commands.spend import spending_text
from bot.tests.support.factories import BotFactory
from config.desk.money import MICROS, exact, short
from usage.budgets import Spent, counted_micros, left_today, settle
from usage.days import today
from usage.models import DailySpend, UsageRecord
from usage.reporting.lines import details
from usage.reporting.question import By, last_days
from usage.reporting.table import table
from usage.repricing import reprice
from usage.tests.factories import ModelPriceFactory
from users.models import User
from users.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(settings: Any) -> Iterator[None]:
    settings.TIME_ZONE = "Asia/Kolkata"
    settings.DAILY_BUDGET_MICROS, settings.USER_DAILY_BUDGET_MICROS = 1_000_000, 500_000
    settings.UNPRICED_MICROS_PER_MILLION = 100_000_000
    with time_machine.travel(NOON, tick=False):
        yield


def paid(user: User | None, bot: str, cost: int | None, *, ago: int = 0, **fields: Any) -> None:
    """Record a call as the worker does: in the records and in the budgets of its day."""
    counted, day = counted_micros(cost, 100, 20), today() - timedelta(days=ago)
    UsageRecord.objects.create(
        user=user, bot=bot, model="m", input_tokens=100, output_tokens=20, cost_micros=cost, budget_micros=counted,
        budget_day=day, created_at=NOON - timedelta(days=ago), **fields,
    )  # fmt: skip
    settle([Spent(0, 0, user.pk if user else None, bot, counted, day, has_reserved=False)])


@pytest.fixture
def anna() -> User:
    """Anna, and a day of calls of every kind, beside those of the day before."""
    person, gone = UserFactory.create(name="Anna"), UserFactory.create(name="Gone")
    shop = BotFactory.create(slug="shop", daily_budget_micros=700_000)
    BotFactory.create(slug="preview-of-shop", preview_of=shop)
    for ago in (0, 1):
        paid(person, "shop", 400_000 + ago, ago=ago)
        paid(person, "shop", None, ago=ago)
        paid(person, "preview-of-shop", 10_000, ago=ago)
        paid(gone, "shop", 100_000, ago=ago)
        paid(None, "shop", 1_001, ago=ago)  # a test of the connection
        paid(None, "", 20_000, ago=ago, kind="transcription")
    gone.delete()
    return person


def test_what_the_calls_of_a_day_cost_is_one_sum(anna: User) -> None:
    day = today()
    total = UsageRecord.objects.get_global_daily_total(day)
    assert (total.cost_micros, total.unpriced) == (531_001, 1)
    question = last_days(1)
    found = [table(question.grouped(by)) for by in By]
    assert [one.total.sums.cost_micros for one in found] == [total.cost_micros] * len(By)
    assert [sum(row.sums.cost_micros for row in one.rows) for one in found] == [total.cost_micros] * len(By)
    assert sum(line.sums.cost_micros for line in details(question)) == total.cost_micros
    of_two_days = table(last_days(2)).by("day")
    assert of_two_days[str(day)].sums.cost_micros == total.cost_micros
    assert (history().today.cost_micros, sum(history().today.costs.values())) == (total.cost_micros, total.cost_micros)
    assert f"at least {exact(total.cost_micros)}" in spending_text().splitlines()[0]
    assert sum(row.totals.cost_micros for row in UsageRecord.objects.get_global_models(day, day)) == total.cost_micros


def test_what_a_day_counts_in_budgets_is_one_sum(anna: User) -> None:
    day, assumed = today(), counted_micros(None, 100, 20)
    counted = UsageRecord.objects.get_global_daily_total(day).cost_micros + assumed
    of_shop = 400_000 + assumed + 100_000 + 1_001
    standings = DailySpend.objects.standings(day, {"shop": 700_000})
    assert {bot: budget.used_micros for bot, budget in standings.items()} == {"": counted, "shop": of_shop}
    assert read_gauges()["budget_spent_dollars"] == counted / MICROS
    gauges = budgets(list(Bot.objects.for_people()))
    assert [gauge.budget for gauge in gauges] == list(standings.values())
    assert [gauge.words for gauge in gauges] == [
        f"{short(counted)} of $1.00", f"{short(of_shop)} of $0.70",
    ]  # fmt: skip
    said = [line for line in spending_text().splitlines() if "budget" in line]
    assert [exact(amount) in line for amount, line in zip((counted, of_shop), said, strict=True)] == [True, True]
    assert [alert.budget for alert in _due(day)] == list(standings.values())


def test_what_a_person_has_used_of_their_budget_is_one_sum(anna: User) -> None:
    counted = UsageRecord.objects.get_daily_total(anna, today()).cost_micros + counted_micros(None, 100, 20)
    DailySpend.objects.of_person(anna.pk).filter(day=today()).update(reserved_micros=7)
    used = counted + 7
    standing = today_of([anna])[anna.pk]
    assert (standing.used_micros, standing.spent_micros) == (used, counted)
    assert _spending(anna).gauge == standing
    assert left_today(anna.pk, 500_000) == 500_000 - used
    near, _others = people_near_their_budget(list(Bot.objects.for_people()))
    assert [gauge.budget for gauge in near] == [standing]


@pytest.mark.parametrize("ago", [2, 5, 20])
def test_a_day_that_is_priced_later_costs_as_much_on_the_dashboard_after_the_night(ago: int) -> None:
    shop = BotFactory.create(slug="shop")
    paid(None, "shop", 500, ago=ago)
    paid(None, "shop", None, ago=ago)
    fold_night()
    ModelPriceFactory.create(model="m")
    assert reprice().records == 1
    fold_night()
    costs = table(last_days(30)).by("day")[str(today() - timedelta(days=ago))].sums.cost_micros
    assert costs > 500
    for bot in (None, shop):
        assert [day.cost_micros for day in history(bot).days if day.cost_micros] == [costs]
        assert history(bot).by("costs") == {"m": costs}

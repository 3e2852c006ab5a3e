"""An unknown cost is found out once, by the price of its day; what is known stays, and the sums go on agreeing."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.db.models import Sum

from usage.models import DailySpend, UsageRecord
from usage.prices import forget_prices
from usage.repricing import reprice
from usage.tests.factories import ModelPriceFactory, UsageRecordFactory
from usage.tests.waiting_records import NOON, waiting
from users.tests.factories import bob, charlie
from users.tests.together import together

pytestmark = [pytest.mark.database, pytest.mark.django_db]

DAY = date(2026, 3, 10)


# 1,000 tokens in (400 of them cached) and 100 out, at the factory's price: 600 + 40 + 200.
COST = 840


def assert_spends_are_the_sums_of_their_records() -> None:
    for spend in DailySpend.objects.all():
        records = UsageRecord.objects.filter(budget_day=spend.day)
        if spend.user_id:
            records = records.filter(user=spend.user_id)
        elif spend.bot:
            records = records.filter(bot=spend.bot)
        assert spend.spent_micros == (records.aggregate(sum=Sum("budget_micros"))["sum"] or 0), spend


def test_a_record_gets_the_price_of_its_day_with_its_cached_tokens_and_a_snapshot() -> None:
    record = waiting(bob())
    ModelPriceFactory.create()
    ModelPriceFactory.create(valid_from=date(2026, 3, 11), input_micros_per_million=9_000_000)

    with time_machine.travel(NOON + timedelta(days=30), tick=False):
        repriced = reprice()

    record.refresh_from_db()
    assert (record.cost_micros, record.budget_micros) == (COST, COST)
    assert record.price == {
        "source": "own price from 2026-01-01",
        "input_micros_per_million": 1_000_000,
        "cached_input_micros_per_million": 100_000,
        "output_micros_per_million": 2_000_000,
        "repriced_at": "2026-04-09T12:00:00+00:00",
    }
    assert (repriced.records, repriced.cost_micros) == (1, COST)


def test_the_day_is_the_installations(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    waiting(bob(), created_at=NOON.replace(hour=15))  # the 11th in Tokyo
    ModelPriceFactory.create(valid_from=date(2026, 3, 11))
    assert reprice().records == 1


def test_the_model_that_answered_counts_first_and_bundled_prices_come_last(settings: Any) -> None:
    settings.OPENAI_BASE_URL = "https://api.openai.com/v1"
    answered = waiting(bob(), model="auto", model_answered="house-model")
    bundled = waiting(bob(), model="gpt-4o", cached_input_tokens=0)
    ModelPriceFactory.create()
    ModelPriceFactory.create(model="auto", input_micros_per_million=9_000_000)
    reprice()
    answered.refresh_from_db()
    bundled.refresh_from_db()
    assert answered.cost_micros == COST
    assert bundled.price["source"].startswith("genai-prices")
    assert bundled.cost_micros == 2_500 + 1_000


def test_what_was_written_into_a_cache_is_priced_as_that(settings: Any) -> None:
    settings.OPENAI_BASE_URL = "https://api.openai.com/v1"
    tokens: dict[str, Any] = {"input_tokens": 2_000, "cached_input_tokens": 0, "output_tokens": 0}
    record = waiting(bob(), model="gpt-6-luna", cache_write_tokens=1_500, **tokens)
    reprice()
    record.refresh_from_db()
    # 500 at $0.10 and 1,500 at $0.125 a million, half a micro-dollar rounded up.
    assert record.cost_micros == 238


def test_what_was_not_the_demo_models_does_not_become_free_when_it_is_set(settings: Any) -> None:
    settings.LLM_PROVIDER = "demo"
    waiting(bob())
    assert reprice().records == 0
    ModelPriceFactory.create()
    assert reprice().cost_micros == COST


def test_spends_of_person_bot_and_everybody_are_corrected_and_other_days_stay() -> None:
    alice, other = bob(), charlie()
    waiting(alice, counted=11_000)
    waiting(alice, counted=500, bot="desk")
    waiting(other, counted=11_000)
    waiting(None, counted=7)
    waiting(alice, counted=3, created_at=NOON - timedelta(days=1))
    waiting(alice, counted=2, model="nobody-knows")
    DailySpend.objects.filter(user=alice).update(reserved_micros=5)
    assert_spends_are_the_sums_of_their_records()
    ModelPriceFactory.create(valid_from=DAY)

    reprice()

    assert_spends_are_the_sums_of_their_records()
    spends = {
        (spend.user, spend.bot): spend.spent_micros
        for spend in DailySpend.objects.filter(day=DAY).select_related("user")
    }
    assert spends == {
        (alice, ""): 2 * COST + 2,
        (other, ""): COST,
        (None, "shop"): 3 * COST + 2,
        (None, "desk"): COST,
        (None, ""): 4 * COST + 2,
    }
    assert set(DailySpend.objects.filter(day=DAY - timedelta(days=1)).values_list("spent_micros", flat=True)) == {3}
    assert set(DailySpend.objects.filter(user=alice).values_list("reserved_micros", flat=True)) == {5}


def test_a_record_that_is_older_than_the_column_is_priced_and_changes_no_spend() -> None:
    record = waiting(bob(), counted=None)
    DailySpend.objects.create(day=DAY, spent_micros=123)
    ModelPriceFactory.create()
    reprice()
    record.refresh_from_db()
    assert (record.cost_micros, record.budget_micros) == (COST, None)
    assert DailySpend.objects.get().spent_micros == 123


def test_spends_that_are_gone_are_not_made_again() -> None:
    waiting(bob())
    DailySpend.objects.all().delete()
    ModelPriceFactory.create()
    assert reprice().records == 1
    assert not DailySpend.objects.exists()


def test_history_stays_whatever_happens_to_prices() -> None:
    record = UsageRecordFactory.create(model="house-model", cost_micros=0, price={"source": "demo"}, created_at=NOON)
    repriced_before = waiting(bob())
    price = ModelPriceFactory.create()
    reprice()
    price.input_micros_per_million = 77
    price.save()
    ModelPriceFactory.create(valid_from=date(2026, 2, 1), output_micros_per_million=1)

    assert reprice().records == 0

    record.refresh_from_db()
    repriced_before.refresh_from_db()
    assert (record.cost_micros, record.price) == (0, {"source": "demo"})
    assert repriced_before.cost_micros == COST
    assert repriced_before.price["input_micros_per_million"] == 1_000_000


def test_twice_is_once_and_batches_go_through_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("usage.repricing.FIRST_SIZE", 2)
    monkeypatch.setattr("usage.repricing.next_size", lambda size, seconds: 2)
    user, shown = bob(), []
    for number in range(5):
        waiting(user, model="nobody-knows" if number == 2 else "house-model")
    ModelPriceFactory.create()

    assert reprice(progress=lambda done, total: shown.append((done, total))).records == 4
    assert reprice().records == 0

    assert shown == [(2, 5), (4, 5), (5, 5)]
    assert_spends_are_the_sums_of_their_records()


def test_a_dry_run_says_the_same_and_changes_nothing() -> None:
    waiting(bob())
    waiting(bob(), model="nobody-knows")
    ModelPriceFactory.create()
    before = list(UsageRecord.objects.values()), list(DailySpend.objects.values())
    would = reprice(dry_run=True)
    assert (list(UsageRecord.objects.values()), list(DailySpend.objects.values())) == before
    assert would == reprice()


def test_a_batch_that_fails_leaves_records_and_spends_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(bob())
    ModelPriceFactory.create()

    def fail(spends: Any, corrections: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("usage.models.budgets.DailySpendQuerySet.correct", fail)
        with pytest.raises(RuntimeError):
            reprice()
    assert UsageRecord.objects.get().cost_micros is None
    reprice()
    assert_spends_are_the_sums_of_their_records()


@pytest.mark.django_db(transaction=True)
def test_several_runs_at_once_and_turns_that_spend_meanwhile_leave_sums_that_agree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("usage.repricing.FIRST_SIZE", 7)
    people = [bob() for _ in range(4)]
    for number in range(40):
        waiting(people[number % 4], bot="shop" if number % 3 else "desk")
    ModelPriceFactory.create()
    forget_prices()

    def spend() -> None:
        for person in people[::-1]:
            with transaction.atomic():
                new = {"user": person, "bot": "shop", "cost_micros": 5, "budget_micros": 5, "budget_day": DAY}
                UsageRecord.objects.create(model="m", input_tokens=1, output_tokens=1, created_at=NOON, **new)
                for owner, bot in ((person, ""), (None, "shop"), (None, "")):
                    row = DailySpend.objects.filter(user=owner, bot=bot, day=DAY).select_for_update().get()
                    DailySpend.objects.filter(pk=row.pk).update(spent_micros=row.spent_micros + 5)

    results = together(reprice, reprice, reprice, spend)

    assert [result for result in results if isinstance(result, Exception)] == []
    assert sum(result.records for result in results[:3]) == 40
    assert not UsageRecord.objects.unpriced().exists()
    assert_spends_are_the_sums_of_their_records()

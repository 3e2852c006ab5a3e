import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db.models import F

from config.db.batches import FIRST_SIZE
from usage.models import DailySpend, UsageRecord
from usage.retention import cleanup_old_spends, cleanup_old_usage_metrics
from usage.tests.factories import UsageRecordFactory
from usage.tests.old_records import records, run
from users.tests.factories import bob
from users.tests.together import together

pytestmark = [pytest.mark.database, pytest.mark.django_db]


NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_only_what_is_older_than_the_days_goes():
    with time_machine.travel(NOON, tick=False):
        kept = records(timedelta(0), timedelta(days=30), -timedelta(days=1))
        records(timedelta(days=30, microseconds=1), timedelta(days=400))
        assert cleanup_old_usage_metrics(30) == 2
        assert cleanup_old_usage_metrics(30) == 0
    assert list(UsageRecord.objects.order_by("pk")) == kept


def test_a_dry_run_counts_and_deletes_nothing():
    records(timedelta(days=31), timedelta(days=1))
    assert cleanup_old_usage_metrics(30, dry_run=True) == 1
    assert UsageRecord.objects.count() == 2


def test_what_is_kept_of_a_day_is_the_sum_of_its_records():
    with time_machine.travel(NOON, tick=False):
        for age in (
            timedelta(),
            timedelta(days=29),
            timedelta(days=30),
            timedelta(days=30, hours=1),
            timedelta(days=31),
        ):
            at = NOON - age
            UsageRecordFactory.create(user=None, created_at=at, budget_micros=10, budget_day=at.date())
            DailySpend.objects.get_or_create(day=at.date(), bot="shop")
            DailySpend.objects.filter(day=at.date()).update(spent_micros=F("spent_micros") + 10)
        call_command("cleanup_usage", "--days", "30", "--dry-run", stdout=io.StringIO())
        assert DailySpend.objects.count() == 4
        run("--days", "30")

    assert UsageRecord.objects.count() == 3
    assert DailySpend.objects.count() == 2
    for spend in DailySpend.objects.all():
        records_of_it = UsageRecord.objects.filter(budget_day=spend.day)
        assert spend.spent_micros == sum(record.budget_micros or 0 for record in records_of_it)


@pytest.mark.parametrize("days", [0, -5])
def test_less_than_a_day_is_refused_and_deletes_nothing(days):
    records(timedelta(days=31))
    DailySpend.objects.create(day=NOON.date())
    for clean in (cleanup_old_usage_metrics, cleanup_old_spends):
        with pytest.raises(ValueError, match="at least 1"):
            clean(days)
    with pytest.raises(CommandError, match="--days must be at least 1"):
        call_command("cleanup_usage", days=days)
    assert DailySpend.objects.count() == 1
    assert UsageRecord.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_purges_in_parallel_while_usage_is_recorded_keep_what_is_new():
    user, old = bob(), datetime.now(UTC) - timedelta(days=31)
    tokens = {"model": "m", "input_tokens": 1, "output_tokens": 1}
    UsageRecord.objects.bulk_create([UsageRecord(created_at=old, **tokens) for _ in range(FIRST_SIZE * 3)])

    def record():
        for _ in range(10):
            UsageRecord.objects.create(user=user, cost_micros=1, **tokens)

    results = together(lambda: cleanup_old_usage_metrics(30), lambda: cleanup_old_usage_metrics(30), record)
    assert [result for result in results if isinstance(result, Exception)] == []
    cleanup_old_usage_metrics(30)
    assert UsageRecord.objects.filter(user=user).count() == UsageRecord.objects.count() == 10

"""A past day's sums are read once and kept, and are never older than its records."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from usage.models import ClosedDay, UsageDay, UsageRecord
from usage.repricing import reprice
from usage.retention import cleanup_old_spends, cleanup_old_usage_metrics
from usage.tests.factories import ModelPriceFactory
from usage.tests.usages import NOON, answer, call, day, everything
from users.tests.factories import bob
from users.tests.together import together

pytestmark = [pytest.mark.usefixtures("at_noon"), pytest.mark.database, pytest.mark.django_db]


def records_read() -> int:
    """Return how many queries of a month's report read usage records."""
    with CaptureQueriesContext(connection) as queries:
        answer(by="bot")
    return sum('FROM "usage_usagerecord"' in query["sql"] for query in queries)


def test_a_month_reads_the_records_of_two_days_once_the_others_are_closed() -> None:
    for ago in range(30):
        call(None, ago, 1)
    assert records_read() == 2
    assert records_read() == 1
    assert set(ClosedDay.objects.values_list("day", flat=True)) == {day(ago) for ago in range(2, 30)}
    assert answer().total.sums.cost_micros == 30


def test_today_and_yesterday_are_never_closed() -> None:
    call(None, 1, 1)
    answer()
    call(None, 0, 10)
    call(None, 1, 100)
    assert answer().total.sums.cost_micros == 111


def test_a_day_without_usage_is_closed_as_well() -> None:
    answer(days=7)
    assert [*ClosedDay.objects.values_list("lines", flat=True)] == [[]] * 5
    assert records_read() == 2
    assert records_read() == 1


def test_a_record_that_is_priced_later_counts_at_once() -> None:
    call(bob(), 5, None, model="house", input_tokens=1_000_000, output_tokens=0, cached_input_tokens=0)
    assert answer().total.sums.unpriced == 1
    ModelPriceFactory.create(model="house")
    assert reprice().records == 1
    assert not ClosedDay.objects.filter(day=day(5)).exists()
    assert answer().total.sums == everything()
    assert (answer().total.sums.cost_micros, answer().total.sums.unpriced) == (1_000_000, 0)


def test_a_dry_run_leaves_the_days_closed() -> None:
    call(bob(), 5, None, model="house")
    answer()
    ModelPriceFactory.create(model="house")
    reprice(dry_run=True)
    assert ClosedDay.objects.filter(day=day(5)).exists()


def test_a_record_that_is_folded_is_not_counted_twice() -> None:
    call(bob(), 5, 7)
    assert answer().total.sums.cost_micros == 7
    cleanup_old_usage_metrics(4)
    assert UsageDay.objects.get().cost_micros == 7
    assert answer().total.sums == everything()
    assert answer().total.sums.cost_micros == 7


def test_copies_of_days_go_with_what_the_days_have_cost() -> None:
    answer()
    cleanup_old_spends(20)
    assert {ago for ago in range(30) if ClosedDay.objects.filter(day=day(ago)).exists()} == {*range(2, 20)}


def test_a_deleted_person_changes_no_sum() -> None:
    anna = bob()
    call(anna, 5, 7)
    assert answer().total.sums == everything()
    anna.delete()
    assert answer().total.sums == everything() == answer(by="person").total.sums


@pytest.mark.django_db(transaction=True)
def test_reports_beside_a_purge_and_a_repricing_keep_no_sum_that_is_older_than_the_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("usage.folding", "usage.repricing"):
        monkeypatch.setattr(f"{module}.FIRST_SIZE", 3)
        monkeypatch.setattr(f"{module}.next_size", lambda size, seconds: size)
    ModelPriceFactory.create(model="house")
    for ago in range(2, 30):
        UsageRecord.objects.bulk_create(
            UsageRecord(
                model=("house", "small")[number % 2], cost_micros=None if number % 2 == 0 else 5, input_tokens=1_000,
                output_tokens=0, created_at=NOON - timedelta(days=ago),
            )
            for number in range(4)
        )  # fmt: skip

    def report() -> None:
        for _ in range(8):
            answer()

    results = together(report, reprice, lambda: cleanup_old_usage_metrics(15), report)
    assert [result for result in results if isinstance(result, Exception)] == []
    for closed in ClosedDay.objects.summed():
        records = UsageRecord.objects.between(closed.day, closed.day)
        assert sum(line[3] for line in closed.lines) == records.count(), closed.day
        assert sum(line[7] for line in closed.lines) == records.totals().cost_micros, closed.day
    assert answer().total.sums == everything()
    assert everything().calls == 28 * 4


def test_without_the_day_being_reopened_the_report_would_be_wrong() -> None:
    # (What the tests above rest on: the report does read the copy.)
    record = call(None, 5, 1)
    answer()
    UsageRecord.objects.filter(pk=record.pk).update(cost_micros=F("cost_micros") + 1)
    assert answer().total.sums.cost_micros == 1
    ClosedDay.objects.reopen([day(5), day(0)])
    assert answer().total.sums.cost_micros == 2

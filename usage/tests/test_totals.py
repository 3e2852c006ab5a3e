from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from usage.days import day_start, today
from usage.models import UsageRecord
from usage.tests.factories import UsageRecordFactory
from usage.totals import DayTotals, ModelTotals, Totals
from users.tests.factories import UserFactory, bob, charlie

pytestmark = [pytest.mark.database, pytest.mark.django_db]

DAY = date(2026, 3, 10)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_total_of_a_day_sums_one_users_records(django_assert_num_queries):
    user = bob()
    noon = {"user": user, "created_at": at("2026-03-10 12:00")}
    UsageRecordFactory.create(**noon)
    UsageRecordFactory.create(**noon, cost_micros=None, model="local")
    UsageRecordFactory.create(**noon, kind="transcription", cost_micros=500, input_tokens=1, output_tokens=0)
    UsageRecordFactory.create(user=charlie(), created_at=at("2026-03-10 12:00"))
    UsageRecordFactory.create(user=user, created_at=at("2026-03-09 23:59:59.999999"))
    UsageRecordFactory.create(user=user, created_at=at("2026-03-11 00:00"))
    with django_assert_num_queries(1):
        total = UsageRecord.objects.get_daily_total(user, DAY)
    assert total == Totals(input_tokens=201, output_tokens=20, cost_micros=1_500, completions=2, unpriced=1)
    with django_assert_num_queries(1):
        everybody = UsageRecord.objects.get_global_daily_total(DAY)
    assert everybody == Totals(input_tokens=301, output_tokens=30, cost_micros=2_500, completions=3, unpriced=1)


def test_a_day_without_usage_is_zero():
    assert UsageRecord.objects.get_daily_total(bob(), DAY) == Totals(0, 0, 0, 0, 0)
    assert UsageRecord.objects.get_global_daily_total(DAY) == Totals()


@pytest.mark.parametrize(
    ("zone", "day", "first", "after"),
    [
        ("UTC", DAY, "2026-03-10 00:00", "2026-03-11 00:00"),
        ("Asia/Kolkata", DAY, "2026-03-09 18:30", "2026-03-10 18:30"),
        ("America/Los_Angeles", DAY, "2026-03-10 07:00", "2026-03-11 07:00"),
        # Europe: 23 hours in spring, 25 in autumn
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28 23:00", "2026-03-29 22:00"),
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24 22:00", "2026-10-25 23:00"),
        # Havana and Cairo change their clocks at midnight: one has no 00:00, or two of them
        ("America/Havana", date(2026, 3, 8), "2026-03-08 05:00", "2026-03-09 04:00"),
        ("America/Havana", date(2026, 11, 1), "2026-11-01 04:00", "2026-11-02 05:00"),
        ("Africa/Cairo", date(2026, 4, 24), "2026-04-23 22:00", "2026-04-24 21:00"),
    ],
)
def test_a_day_is_one_of_the_configured_time_zone(settings, zone, day, first, after):
    settings.TIME_ZONE = zone
    user = bob()
    before = at(first) - timedelta(microseconds=1)
    last = at(after) - timedelta(microseconds=1)
    for moment, cost in [(before, 1), (at(first), 10), (last, 100), (at(after), 1_000)]:
        UsageRecordFactory.create(user=user, created_at=moment, cost_micros=cost)
    assert day_start(day) == at(first)
    assert UsageRecord.objects.get_daily_total(user, day).cost_micros == 110
    assert UsageRecord.objects.get_global_daily_total(day).cost_micros == 110
    with time_machine.travel(at(first) + timedelta(hours=12), tick=False):
        assert today() == day
        stats = UsageRecord.objects.get_user_stats(user, 1)
    assert [(row.day, row.totals.cost_micros) for row in stats.per_day] == [(day, 110)]


def test_the_stats_of_a_user_are_per_day_and_per_model(django_assert_num_queries):
    user = bob()
    for moment, model, cost in [
        ("2026-03-07 23:59", "old", 7),
        ("2026-03-08 00:00", "small", 1),
        ("2026-03-08 10:00", "large", 100),
        ("2026-03-10 10:00", "small", 2),
        ("2026-03-10 11:00", "local", None),
    ]:
        UsageRecordFactory.create(user=user, created_at=at(moment), model=model, cost_micros=cost)
    UsageRecordFactory.create(user=charlie(), created_at=at("2026-03-10 10:00"))
    with time_machine.travel(at("2026-03-10 12:00"), tick=False), django_assert_num_queries(1):
        stats = UsageRecord.objects.get_user_stats(user, 3)
    assert stats.total == Totals(400, 40, 103, completions=4, unpriced=1)
    assert stats.per_day == [
        DayTotals(date(2026, 3, 8), Totals(200, 20, 101, 2, 0)),
        DayTotals(date(2026, 3, 9), Totals()),
        DayTotals(date(2026, 3, 10), Totals(200, 20, 2, 2, 1)),
    ]
    assert stats.per_model == [
        ModelTotals("large", Totals(100, 10, 100, 1, 0)),
        ModelTotals("small", Totals(200, 20, 3, 2, 0)),
        ModelTotals("local", Totals(100, 10, 0, 1, 1)),
    ]


def test_the_stats_of_someone_who_used_nothing_are_zero():
    stats = UsageRecord.objects.get_user_stats(bob(), 2)
    assert (stats.total, stats.per_model) == (Totals(), [])
    assert [row.totals for row in stats.per_day] == [Totals(), Totals()]


@pytest.mark.parametrize("days", [0, -1])
def test_stats_of_less_than_a_day_are_refused(days):
    with pytest.raises(ValueError, match="at least 1"):
        UsageRecord.objects.get_user_stats(bob(), days)


def test_totals_read_a_range_of_an_index():
    user = bob()
    people = [UserFactory.create() for _ in range(20)]
    for person in [user, *people]:
        # What a planner chooses from few rows is a toss-up: enough people and days for the index to be the answer.
        UsageRecordFactory.create_batch(20, user=person, created_at=at("2026-03-10 10:00"))
        UsageRecordFactory.create_batch(20, user=person)  # now, for the stats
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE usage_usagerecord")
            # With few rows it would rather read the table; this shows whether it could do otherwise.
            cursor.execute("SET LOCAL enable_seqscan = off")
        with CaptureQueriesContext(connection) as queries:
            UsageRecord.objects.get_daily_total(user, DAY)
            UsageRecord.objects.get_global_daily_total(DAY)
            UsageRecord.objects.get_user_stats(user, 30)
        plans = []
        for query in queries.captured_queries[:3]:
            explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
            cursor.execute(f"{explain} {query['sql']}")
            plans.append("\n".join(str(row) for row in cursor.fetchall()))
    by_user, of_all, stats = plans
    assert "usage_record_of_user" in by_user
    assert "usage_record_of_user" in stats
    assert "usage_usagerecord_created_at" in of_all
    assert not any("Seq Scan" in plan or "SCAN usage" in plan for plan in plans)

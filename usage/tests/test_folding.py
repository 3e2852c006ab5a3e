"""Old usage records become sums of their days: no total ever changes, whatever happens meanwhile."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.db.models import F, Sum

from usage import folding
from usage.models import UsageDay, UsageRecord
from usage.reporting.lines import details
from usage.reporting.question import NOBODY, last_days
from usage.repricing import reprice
from usage.retention import cleanup_old_usage_metrics
from usage.tests.factories import UsageRecordFactory
from usage.tests.usages import report
from users.models import User
from users.tests.factories import bob, charlie
from users.tests.together import together

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.promise("folding")]

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAYS = 60


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


def some_usage():
    """Store usage of several people, bots, kinds and models on many days, some of it unpriced, some of nobody."""
    people = [bob(), charlie(), None]
    kinds = [("completion", "small"), ("completion", "large"), ("transcription", "small")]
    records = [
        UsageRecord(
            user=people[number % 3],
            bot=("shop", "desk", "")[number // 2 % 3],
            kind=kinds[number % 7 % 3][0],
            model=kinds[number % 7 % 3][1],
            input_tokens=number,
            cached_input_tokens=number // 2,
            output_tokens=number * 2,
            cost_micros=None if number % 5 == 0 else number * 1_000,
            created_at=NOON - timedelta(hours=11 * number),
        )
        for number in range(100)
    ]
    UsageRecord.objects.bulk_create(records)


def everything():
    """Return all that is told of everybody: each day's total, the months' models, and the report."""
    first, last = date(2026, 1, 1), NOON.date()
    found = report(90)
    lines = [(line.day, line.bot, line.kind, line.model, *line.sums.as_row()) for line in details(last_days(90))]
    sums: dict = {}
    for line in lines:
        before = sums.get(line[:4], (0,) * 7)
        sums[line[:4]] = tuple(map(sum, zip(before, line[4:], strict=True)))
    return (
        [UsageRecord.objects.get_global_daily_total(first + timedelta(days=ago)) for ago in range(69)],
        UsageRecord.objects.get_global_models(first, last),
        (
            found.total.sums,
            *({key: row.sums for key, row in found.by(name).items()} for name in ("day", "bot", "kind", "model")),
        ),
        sums,
    )


def counted():
    """Return how many calls there are, in both places, and what they cost."""
    folded = UsageDay.objects.aggregate(calls=Sum("calls", default=0), cost=Sum("cost_micros", default=0))
    kept = UsageRecord.objects.aggregate(cost=Sum("cost_micros", default=0))
    return UsageRecord.objects.count() + folded["calls"], folded["cost"] + kept["cost"]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/Los_Angeles", "America/Havana"])
def test_a_purge_changes_no_total_and_no_report_of_everybody(settings, monkeypatch, zone):
    settings.TIME_ZONE = zone
    monkeypatch.setattr(folding, "FIRST_SIZE", 7)
    some_usage()
    before = everything()
    assert before[2][0].unpriced == 20

    assert cleanup_old_usage_metrics(30) == 34
    assert everything() == before
    assert cleanup_old_usage_metrics(1) == 63
    assert everything() == before
    assert UsageRecord.objects.count() == 3
    assert cleanup_old_usage_metrics(1) == 0
    assert everything() == before


@pytest.mark.parametrize(
    ("zone", "moments"),
    [
        # a day's last and the next one's first moment
        ("Asia/Kolkata", [("2025-03-09 18:29:59.999999", 9), ("2025-03-09 18:30", 10), ("2025-03-10 18:30", 11)]),
        ("America/Los_Angeles", [("2025-03-10 06:59:59.999999", 9), ("2025-03-10 07:00", 10)]),
        # clocks that change: 23 hours, 25 hours, no midnight, two of them
        ("Europe/Berlin", [("2025-03-29 22:59", 29), ("2025-03-30 21:59:59", 30), ("2025-03-30 22:00", 31)]),
        ("Europe/Berlin", [("2025-10-25 21:59", 25), ("2025-10-25 22:00", 26), ("2025-10-26 22:59", 26)]),
        ("America/Havana", [("2025-03-09 04:59", 8), ("2025-03-09 05:00", 9), ("2025-03-10 03:59", 9)]),
        ("America/Havana", [("2025-11-02 03:59", 1), ("2025-11-02 04:30", 2), ("2025-11-02 05:30", 2)]),
    ],
)
def test_a_record_counts_on_the_day_it_counted_on(settings, zone, moments):
    settings.TIME_ZONE = zone
    for place, (moment, _) in enumerate(moments):
        at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        UsageRecordFactory.create(user=None, created_at=at, cost_micros=10**place)
    days = {datetime.fromisoformat(moment).date().replace(day=day) for moment, day in moments}
    before = {day: UsageRecord.objects.get_global_daily_total(day) for day in days}
    cleanup_old_usage_metrics(30)
    expected: dict[int, int] = {}
    for place, (_, day) in enumerate(moments):
        expected[day] = expected.get(day, 0) + 10**place
    assert {day.day: cost for day, cost in UsageDay.objects.values_list("day", "cost_micros")} == expected
    assert {day: UsageRecord.objects.get_global_daily_total(day) for day in days} == before


def test_old_usage_is_nobodys_and_a_persons_report_has_what_is_kept_of_theirs():
    anna = bob()
    for days in (1, 40):
        UsageRecordFactory.create(user=anna, bot="shop", created_at=NOON - timedelta(days=days))
    assert report(DAYS, user=anna).total.sums.calls == 2
    cleanup_old_usage_metrics(30)
    assert report(DAYS, user=anna).total.sums.calls == 1
    assert {int(row.key): row.sums.calls for row in report(DAYS).rows} == {anna.pk: 1, NOBODY: 1}
    assert report(DAYS, bot="shop").total.sums.calls == 2
    assert report(DAYS, bot="desk").total.sums.calls == 0


def test_the_lines_stay_in_order_and_one_query_each_month(django_assert_num_queries):
    some_usage()
    cleanup_old_usage_metrics(30)
    with django_assert_num_queries(1):
        lines = [*details(last_days(31))]
    days = [line.day for line in lines]
    assert days == sorted(days)
    keys = [(line.day, line.person, line.bot, line.kind, line.model) for line in lines]
    assert len(keys) == len(set(keys))


def test_of_a_bot_that_is_gone_with_its_records_the_report_still_tells():
    UsageRecordFactory.create(user=None, bot="gone", created_at=NOON - timedelta(days=40))
    cleanup_old_usage_metrics(30)
    out = io.StringIO()
    call_command("usage_report", "--bot", "gone", "--days", "60", stdout=out)
    assert "(deleted people) and old days" in out.getvalue()


class Killed(Exception):
    """What a process that is killed at a statement never gets to see."""


@contextmanager
def killed_at(statement: int) -> Iterator[None]:
    """Let the statement of that number fail, as if the process ended before it."""
    numbers = count()

    def fail(execute, sql, params, many, context):
        if next(numbers) == statement:
            raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        yield


@pytest.mark.django_db(transaction=True)
def test_a_purge_that_is_ended_before_any_statement_has_changed_no_total(monkeypatch):
    monkeypatch.setattr(folding, "FIRST_SIZE", 20)
    monkeypatch.setattr(folding, "next_size", lambda size, seconds: size)
    some_usage()
    before = counted(), report(90).total.sums
    for statement in range(100):
        try:
            with killed_at(statement):
                cleanup_old_usage_metrics(30)
            break
        except Killed:
            assert (counted(), report(90).total.sums) == before
        # All of them again, so that each run comes as far as the last one.
        for model in (UsageDay, UsageRecord, User):
            model.objects.all().delete()
        some_usage()
    assert statement >= 8, "two batches were gone through"
    assert (counted(), report(90).total.sums) == before


@pytest.mark.django_db(transaction=True)
def test_purges_at_once_beside_writers_count_every_call_once(monkeypatch):
    monkeypatch.setattr(folding, "FIRST_SIZE", 5)
    monkeypatch.setattr(folding, "next_size", lambda size, seconds: size)
    old = {"model": "m", "input_tokens": 1, "output_tokens": 1}
    UsageRecord.objects.bulk_create(
        [
            UsageRecord(
                **old, cost_micros=1, bot=f"bot-{number % 3}", created_at=NOON - timedelta(days=40 + number % 2)
            )
            for number in range(150)
        ]
    )

    def purge():
        return cleanup_old_usage_metrics(30)

    def record():
        # Also old ones: of a worker whose clock is wrong, or from a backup.
        for number in range(20):
            UsageRecord.objects.create(
                **old, cost_micros=1, bot="bot-1", created_at=NOON - timedelta(days=40 * (number % 2))
            )
        return 0

    results = together(purge, purge, purge, record)
    assert [result for result in results if isinstance(result, Exception)] == []
    results.append(purge())
    assert sum(results) == 160
    assert counted() == (170, 170)
    assert UsageRecord.objects.count() == 10
    assert UsageDay.objects.count() == 6


@pytest.mark.django_db(transaction=True)
def test_what_is_priced_or_made_anonymous_while_it_is_folded_is_counted_once_and_as_it_is(monkeypatch):
    monkeypatch.setattr(folding, "FIRST_SIZE", 5)
    monkeypatch.setattr(folding, "next_size", lambda size, seconds: size)
    anna = bob()
    old = {"user": anna, "model": "m", "input_tokens": 1, "output_tokens": 1, "cost_micros": 0}
    UsageRecord.objects.bulk_create([UsageRecord(**old, created_at=NOON - timedelta(days=40)) for _ in range(100)])

    def price():
        done = 0
        for key in list(UsageRecord.objects.order_by("pk").values_list("pk", flat=True)):
            done += UsageRecord.objects.filter(pk=key).update(cost_micros=F("cost_micros") + 1)
        return done

    def purge():
        cleanup_old_usage_metrics(30)

    results = together(purge, price, lambda: anna.delete() and None, purge)
    assert [result for result in results if isinstance(result, Exception)] == []
    purge()
    assert counted() == (100, results[1])


def test_repricing_finds_nothing_to_price_where_records_are_folded(settings):
    settings.OPENAI_BASE_URL = "https://api.openai.com/v1"
    UsageRecordFactory.create(user=None, cost_micros=None, created_at=NOON - timedelta(days=40))
    cleanup_old_usage_metrics(30)
    assert reprice().records == 0
    assert UsageDay.objects.get().unpriced == 1

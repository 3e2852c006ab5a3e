"""With a year of usage the questions about it read an index, and take as many queries as they took with none."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.operations.alerts import raise_alerts
from usage.days import today
from usage.models import DailySpend, UsageRecord
from usage.reporting.lines import details
from usage.reporting.question import last_days
from usage.repricing import reprice, waiting_records
from usage.spending import Changes
from users.models import User
from users.tests.factories import UserFactory, alice

pytestmark = [pytest.mark.database, pytest.mark.django_db]

PEOPLE = 100
DAYS = 365


def a_year(records: int) -> User:
    """Store a year of usage and return one of the people."""
    people = UserFactory.create_batch(PEOPLE)
    now = timezone.now()
    tokens = {"model": "gpt-6-luna", "input_tokens": 100, "output_tokens": 10}
    UsageRecord.objects.bulk_create(
        UsageRecord(
            user=people[number * 7 % PEOPLE],
            bot="shop",
            cost_micros=None if number % 200 == 0 else 25,
            created_at=now - timedelta(days=DAYS) * (records - 1 - number) / records,
            **tokens,
        )
        for number in range(records)
    )
    days = [today() - timedelta(days=ago) for ago in range(DAYS)]
    owners: list[tuple[User | None, str]] = [*((one, "") for one in people[:20]), (None, "shop"), (None, "")]
    DailySpend.objects.bulk_create(DailySpend(user=user, bot=bot, day=day) for day in days for user, bot in owners)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE usage_usagerecord")
        cursor.execute("ANALYZE usage_dailyspend")
    return people[0]


def plans_of(ask: Callable[[], Any], table: str) -> list[str]:
    """Return the plans of the queries on a table that a question takes.

    With their parameters as they are sent: SQLite does not find an index's expression with one in it.
    """
    sent: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        ask()
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    plans = []
    with connection.cursor() as cursor:
        for sql, params in sent:
            if sql.lstrip("(").startswith(("SELECT", "UPDATE")) and f'"{table}"' in sql:
                cursor.execute(f"{explain} {sql}", params)
                plans.append("\n".join(str(row) for row in cursor.fetchall()))
    return plans


# (What is many rows here is few rows elsewhere, where it is measured.)
@pytest.mark.no_cover
def test_every_question_reads_an_index_and_no_whole_table(settings: Any) -> None:
    person = a_year(20_000)
    settings.DAILY_BUDGET_MICROS = 1
    records, day = UsageRecord.objects, today() - timedelta(days=1)

    def correct(user_id: int | None, bot: str) -> None:
        changes = Changes()
        changes.add(user_id, bot, day, spent=1)
        DailySpend.objects.correct(changes)

    questions: list[tuple[Callable[[], Any], str, str]] = [
        (lambda: records.get_daily_total(person, day), "usage_usagerecord", "usage_record_of_user"),
        (lambda: records.get_user_stats(person, 30), "usage_usagerecord", "usage_record_of_user"),
        (lambda: records.get_global_daily_total(day), "usage_usagerecord", "usage_usagerecord_created_at"),
        (lambda: list(details(last_days(30))), "usage_usagerecord", "usage_usagerecord_created_at"),
        (lambda: list(details(last_days(30, person=person.pk))), "usage_usagerecord", "usage_record_of_user"),
        (lambda: list(waiting_records()[:200]), "usage_usagerecord", "usage_record_unpriced"),
        (lambda: reprice(dry_run=True), "usage_usagerecord", "usage_record_unpriced"),
        (raise_alerts, "usage_dailyspend", "usage_spend_one_per_day"),
        (lambda: correct(person.pk, ""), "usage_dailyspend", "usage_spend_one_per_day"),
        (lambda: correct(None, "shop"), "usage_dailyspend", "usage_spend_one_per_day"),
    ]
    for ask, table, index in questions:
        plans = plans_of(ask, table)
        assert plans, index
        for plan in plans:
            assert index in plan, plan
            assert f"Seq Scan on {table}" not in plan, plan
            # (The index of the unpriced is read from its beginning: nothing else is in it.)
            assert f"SCAN {table}" not in plan or index == "usage_record_unpriced", plan


# (What is many rows here is few rows elsewhere, where it is measured.)
@pytest.mark.no_cover
def test_every_page_of_the_desk_reads_an_index_and_no_whole_table(client: Client) -> None:
    person = a_year(20_000)
    client.force_login(alice())
    first, last, day = today() - timedelta(days=29), today(), today() - timedelta(days=3)
    report, records = reverse("admin:usage_report"), reverse("admin:usage_usagerecord_changelist")
    days = reverse("admin:usage_dailyspend_changelist")
    by_time, by_person = "usage_usagerecord_created_at", "usage_record_of_user"
    pages = [
        (f"{report}?days=7", "usage_usagerecord", by_time),
        (f"{report}?by=person&days=7", "usage_usagerecord", "usage_"),
        (f"{report}?person={person.pk}&by=model", "usage_usagerecord", by_person),
        (f"{report}?day={day}&by=bot", "usage_usagerecord", by_time),
        (f"{records}?from={day}&to={day}", "usage_usagerecord", by_time),
        (f"{records}?from={first}&to={last}&model=none", "usage_usagerecord", by_time),
        (f"{records}?bot=none", "usage_usagerecord", by_time),
        (f"{records}?person={person.pk}", "usage_usagerecord", by_person),
        (f"{days}?of=bots", "usage_dailyspend", "usage_spend_"),
        (f"{days}?of=everybody", "usage_dailyspend", "usage_spend_"),
        (f"{days}?of=people&days=1-1", "usage_dailyspend", "usage_spend_"),
        (f"{days}?q={person.phone_number}", "usage_dailyspend", "usage_spend_"),
    ]
    client.get(f"{report}?days=7")
    for page, table, index in pages:
        plans = plans_of(lambda page=page: client.get(page), table)  # type: ignore[misc]
        assert plans, page
        for plan in plans:
            # (How many there are, up to ten thousand, may be counted anyhow.)
            if "Limit" in plan and "Aggregate" in plan:
                continue
            # (The list of records looks at the newest for the names of bots and models as well.)
            assert index in plan or by_time in plan, f"{page}\n{plan}"
            assert f"Seq Scan on {table}" not in plan, f"{page}\n{plan}"
            assert f"SCAN {table}" not in plan or "USING" in plan, f"{page}\n{plan}"


def test_questions_take_as_many_queries_as_they_took(django_assert_num_queries: Any) -> None:
    person = a_year(500)
    for ask, queries in (
        (lambda: UsageRecord.objects.get_user_stats(person, 30), 1),
        (lambda: UsageRecord.objects.get_global_daily_total(today()), 1),
        (lambda: list(details(last_days(31))), 1),
        (lambda: list(details(last_days(32))), 2),
        (lambda: list(details(last_days(365))), 12),
    ):
        with django_assert_num_queries(queries):
            ask()


def test_a_long_report_is_asked_for_in_parts_that_leave_no_day_out() -> None:
    a_year(1_000)
    everything = UsageRecord.objects.last_days(365)
    lines = list(details(last_days(365)))
    assert sum(line.sums.calls for line in lines) == everything.count()
    days = [line.day for line in lines]
    assert len(set(days)) == 365
    assert sorted(days) == days

"""What people and operators ask about usage: each question, what answers it, and the plain SQL of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

OFTEN, SELDOM, ONCE = 20, 5, 1
SUMS = "COUNT(*), SUM(input_tokens), SUM(output_tokens), SUM(cost_micros), COUNT(*) - COUNT(cost_micros)"
RECORDS = "FROM usage_usagerecord WHERE"


@dataclass(frozen=True, slots=True)
class Question:
    """A question, what answers it, the plain SQL of it and that SQL's parameters, and how often it is asked."""

    name: str
    ask: Callable[[], Any]
    sql: str
    parameters: tuple[Any, ...]
    times: int = OFTEN


def questions() -> Iterator[Question]:
    """Yield the questions that people and operators ask."""
    from usage.days import day_start, today

    day = today() - timedelta(days=1)
    since = day_start(today() - timedelta(days=29))
    yield from of_people(day, since)
    yield from of_everybody(day, since)
    yield from reports(since)
    yield from operators_lists()


def of_people(day: date, since: datetime) -> Iterator[Question]:
    """Yield what a person of average use and the busiest one ask of a day, and of the time since."""
    from usage.days import day_start
    from usage.models import UsageRecord
    from users.models import User

    heavy = User.objects.get(pk=User.objects.order_by("pk").values("pk")[:1])
    usual = User.objects.get(pk=heavy.pk + 1)
    records = UsageRecord.objects
    for name, user in (("a person's", usual), ("the busiest person's", heavy)):
        yield Question(
            f"{name} day",
            lambda user=user: records.get_daily_total(user, day),  # type: ignore[misc]
            f"SELECT {SUMS} {RECORDS} user_id = %s AND created_at >= %s AND created_at < %s",
            (user.pk, day_start(day), day_start(day + timedelta(days=1))),
        )
        yield Question(
            f"{name} 30 days, by day and model",
            lambda user=user: records.get_user_stats(user, 30),  # type: ignore[misc]
            f"SELECT {date_of('created_at')}, model, {SUMS} {RECORDS} user_id = %s AND created_at >= %s GROUP BY 1, 2",
            (user.pk, since),
        )


def of_everybody(day: date, since: datetime) -> Iterator[Question]:
    """Yield what is asked about everybody's day, and about the time since."""
    from django.db.models import Sum

    from usage.days import day_start
    from usage.models import UsageRecord

    records = UsageRecord.objects
    yield Question(
        "everybody's day",
        lambda: records.get_global_daily_total(day),
        f"SELECT {SUMS} {RECORDS} created_at >= %s AND created_at < %s",
        (day_start(day), day_start(day + timedelta(days=1))),
    )
    yield Question(
        "everybody's 30 days, by model",
        lambda: list(records.last_days(30).values("model").annotate(cost=Sum("cost_micros")).order_by("-cost")),
        f"SELECT model, SUM(cost_micros) {RECORDS} created_at >= %s GROUP BY 1 ORDER BY 2 DESC",
        (since,),
    )
    yield Question(
        "the 5 dearest people of 30 days",
        lambda: list(records.last_days(30).values("user_id").annotate(cost=Sum("cost_micros")).order_by("-cost")[:5]),
        f"SELECT user_id, SUM(cost_micros) {RECORDS} created_at >= %s GROUP BY 1 ORDER BY 2 DESC LIMIT 5",
        (since,),
    )


def reports(since: datetime) -> Iterator[Question]:
    """Yield what manage.py usage_report does, and alerts and repricing look at."""
    from bot.operations.alerts import raise_alerts
    from usage.days import day_start, today
    from usage.reporting.csv_file import write_details
    from usage.reporting.lines import details
    from usage.reporting.question import last_days
    from usage.reporting.text import tables
    from usage.repricing import waiting_records

    created = "usage_usagerecord.created_at"
    # (Our own expressions.)
    grouped = (
        f"SELECT {date_of(created)}, user_id, name, phone_number, bot, kind, model, SUM(cached_input_tokens), {SUMS} "  # noqa: S608
        f"FROM usage_usagerecord LEFT JOIN users_user ON users_user.id = user_id WHERE {created} >= %s "
        "GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 5, 6, 7"
    )
    year = day_start(today() - timedelta(days=364))
    yield Question("usage_report, 30 days", lambda: list(tables(last_days(30))), grouped, (since,), SELDOM)
    csv_of = lambda days: write_details(details(last_days(days)), StringIO())  # noqa: E731
    yield Question("usage_report --csv, 30 days", lambda: csv_of(30), grouped, (since,), SELDOM)
    yield Question("usage_report --csv, 365 days", lambda: csv_of(365), grouped, (year,), ONCE)
    yield Question(
        "the first 200 records without a price",
        lambda: list(waiting_records()[:200]),
        f"SELECT * {RECORDS} cost_micros IS NULL ORDER BY id LIMIT 200",
        (),
    )
    yield Question(
        "budgets looked at for alerts",
        raise_alerts,
        "SELECT spent_micros FROM usage_dailyspend WHERE COALESCE(user_id, 0) = 0 AND bot IN ('', 'desk') AND day = %s",
        (str(today()),),
    )


def operators_lists() -> Iterator[Question]:
    """Yield pages of the admin; the plain SQL is that of their rows."""
    from django.test import Client
    from django.urls import reverse

    from users.models import User

    client = Client(HTTP_HOST="localhost")
    owner = User.objects.filter(phone_number="+12025550100").first() or User.objects.create_superuser("+12025550100")
    client.force_login(owner)
    heavy = User.objects.order_by("pk")[0]
    rows = "SELECT * FROM usage_usagerecord LEFT JOIN users_user ON users_user.id = user_id"
    listed = reverse("admin:usage_usagerecord_changelist")
    last = "ORDER BY usage_usagerecord.id DESC LIMIT 100"

    def page(path: str, **query: str) -> None:
        status = client.get(path, query).status_code
        if status != 200:
            raise SystemExit(f"{path} answered {status}")

    yield Question("admin: usage records", lambda: page(listed), f"{rows} {last}", (), SELDOM)
    number = heavy.phone_number or ""
    yield Question(
        "admin: records of the busiest person",
        lambda: page(listed, q=number),
        f"{rows} WHERE user_id = %s {last}",
        (heavy.pk,),
        SELDOM,
    )
    spends = "SELECT * FROM usage_dailyspend LEFT JOIN users_user ON users_user.id = user_id"
    yield Question(
        "admin: daily spends",
        lambda: page(reverse("admin:usage_dailyspend_changelist")),
        f"{spends} ORDER BY usage_dailyspend.id DESC LIMIT 100",
        (),
        SELDOM,
    )


def date_of(column: str) -> str:
    """Return the SQL for the UTC date of a time."""
    from django.db import connection

    return f"date({column})" if connection.vendor == "sqlite" else f"({column} AT TIME ZONE 'UTC')::date"

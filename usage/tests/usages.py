"""Usage for the tests of the report: three people, two bots, two models, on days of a month that is partly folded."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Sum

from usage.days import today
from usage.models import UsageDay, UsageRecord
from usage.reporting.lines import lines
from usage.reporting.question import By, Question, last_days, read_question
from usage.reporting.table import Row, Table, table
from usage.totals import Sums
from users.models import User

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
TODAY = NOON.date()


def ask(**asked: Any) -> Question:
    """Return the question of an address with these parameters; from_ for from."""
    return read_question({name.rstrip("_"): str(value) for name, value in asked.items()})


def answer(**asked: Any) -> Table:
    """Return the table of an address with these parameters."""
    return table(ask(**asked))


def report(days: int, user: User | None = None, bot: str = "") -> Table:
    """Return what manage.py usage_report tells of the last days."""
    return table(replace(last_days(days, person=user.pk if user else None, bot=bot), by=By.PERSON))


def costs(found: Table) -> dict[str, int]:
    """Return what each row cost."""
    return {row.key: row.sums.cost_micros for row in found.rows}


def day(ago: int) -> date:
    """Return the day so many days ago."""
    return today() - timedelta(days=ago)


def call(person: User | None, ago: int, cost: int | None, **fields: Any) -> UsageRecord:
    """Record a call at noon so many days ago."""
    at = datetime.now(UTC) - timedelta(days=ago)
    tokens = {"input_tokens": 10, "cached_input_tokens": 4, "output_tokens": 3}
    return UsageRecord.objects.create(
        user=person, cost_micros=cost, created_at=at, **{"bot": "shop", "model": "small", **tokens, **fields}
    )


def everything() -> Sums:
    """Return what all records and folded days come to, by the plainest way there is."""
    names = ("input_tokens", "cached_input_tokens", "output_tokens", "cost_micros")
    sums = Sums()
    for record in UsageRecord.objects.values("kind", *names):
        is_answer, cost = record["kind"] == "completion", record["cost_micros"]
        tokens = [record[name] for name in names[:3]]
        sums.add(Sums(*[1, int(is_answer), *tokens, cost or 0, int(cost is None)]))
    folded = UsageDay.objects.aggregate(*(Sum(name) for name in ("calls", *names, "unpriced")))
    answers = UsageDay.objects.filter(kind="completion").aggregate(sum=Sum("calls"))["sum"] or 0
    values = [folded[f"{name}__sum"] or 0 for name in ("calls", *names, "unpriced")]
    sums.add(Sums(values[0], answers, *values[1:]))
    return sums


def added(rows: "list[Row]") -> Sums:
    """Return the sum of rows."""
    sums = Sums()
    for row in rows:
        sums.add(row.sums)
    return sums


def leaves(question: Question, depth: int = 0) -> "list[Question]":
    """Return every question that opening row after row leads to."""
    found = [question]
    if len(question.values) < len(By):
        for row in table(question).rows:
            if question.by not in question.values:
                found += leaves(question.narrow(question.by, row.key), depth + 1)
    return found


__all__ = ["NOON", "TODAY", "added", "answer", "ask", "call", "costs", "day", "everything", "leaves", "lines", "report"]

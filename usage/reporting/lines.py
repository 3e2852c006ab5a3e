"""The sums behind the report: of closed days from their rows, of other days and of one person from the records."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection, transaction
from django.db.models import BigIntegerField, Count, Value, Window

from usage.days import KEYS, SUMS
from usage.models import AGGREGATES, ClosedDay, UsageDay, UsageKind, UsageQuerySet, UsageRecord, last_closed
from usage.reporting.question import NOBODY, By, Question
from usage.totals import Sums

FETCHED_AT_ONCE = 2_000
# A statement has 15 s at most (config/settings.py): details of a year are asked for piece by piece.
DAYS_A_QUERY = 31
DETAILS = ("day", "user_id", "bot", "kind", "model")


@dataclass(frozen=True, slots=True)
class Line:
    """The sums of a day, bot, kind and model; in details also of a person: NOBODY where it is not known whose they are.

    kept: whether the records behind them are.
    """

    day: date
    bot: str
    kind: str
    model: str
    sums: Sums
    kept: bool = True
    person: int = NOBODY


def lines(question: Question) -> list[Line]:
    """Return the sums that a question is about. Three queries, one for a person; one more for days closed only now.

    Kept records are read first: what a purge folds meanwhile is there twice for this once, and never missing.
    """
    first, last = question.span
    found = [_line(line, kept=True) for line in _kept(question, first, last)]
    if question.person in (None, NOBODY):
        folded = UsageDay.objects.between(first, last).values(*KEYS, *SUMS)
        found += [_line(line, kept=False) for line in folded]
    bot, model = question.values.get(By.BOT), question.values.get(By.MODEL)
    return [line for line in found if bot in (None, line.bot) and model in (None, line.model)]


def details(question: Question) -> Iterator[Line]:
    """Yield the sums of each day, person, bot, kind and model, in this order; never all of them in memory.

    One query for each month that is asked for.
    """
    start, last = question.span
    while start <= last:
        end = min(last, start + timedelta(days=DAYS_A_QUERY - 1))
        yield from _details(question, start, end)
        start = end + timedelta(days=1)


def _details(question: Question, first: date, last: date) -> Iterator[Line]:
    rows = _records(question).between(first, last).sums_by(*DETAILS)
    if question.person in (None, NOBODY):
        nobody = Value(None, output_field=BigIntegerField())
        folded = _narrowed(question, UsageDay.objects.between(first, last)).with_answers().annotate(user_id=nobody)
        rows = rows.union(folded.values_list(*DETAILS, *SUMS, "answers"), all=True)
    # One line for what is of the same key in records and in folded days.
    found = rows.order_by(*DETAILS).iterator(FETCHED_AT_ONCE)
    for (day, person, bot, kind, model), same in groupby(found, itemgetter(slice(len(DETAILS)))):
        sums = Sums()
        for row in same:
            sums.add(Sums.of_row(row[len(DETAILS) :]))
        yield Line(day, bot, kind, model, sums, person=person or NOBODY)


def _kept(question: Question, first: date, last: date) -> Iterator[Mapping[str, Any]]:
    if question.person is not None:
        yield from _records(question).between(first, last).sums_by_day()
        return
    # A single day is read itself: it takes a moment, and is the place to look at when something seems wrong.
    closed = min(last, last_closed()) if first < last else first - timedelta(days=1)
    if first <= closed:
        yield from ClosedDay.objects.lines(first, closed)
    if closed < last:
        yield from UsageRecord.objects.between(max(first, closed + timedelta(days=1)), last).sums_by_day()


def people(question: Question, most: int) -> tuple[list[tuple[int, Sums]], int]:
    """Return the sums of the people who cost most, so many of them, and how many people there are. One query."""
    records = _records(question).between(*question.span).exclude(user=None)
    grouped = records.sums_by("user").annotate(people=Window(Count("*")))
    ranked = grouped.order_by("-sum_cost", "-count_calls", "user").values_list("people", "user", *AGGREGATES)
    with _room_to_group():
        rows = list(ranked[:most])
    return [(person, Sums.of_row(sums)) for _, person, *sums in rows], rows[0][0] if rows else 0


def nobodys(question: Question) -> list[Line]:
    """Return the sums of those records and days whose persons are not known. Two queries."""
    return lines(question.narrow(By.PERSON, str(NOBODY)))


def _narrowed(question: Question, rows: Any) -> Any:
    return rows.filter(**{by: question.values[by] for by in (By.BOT, By.MODEL) if by in question.values})


def _records(question: Question) -> UsageQuerySet:
    """Return the records that a question is about, of any day."""
    records: UsageQuerySet = _narrowed(question, UsageRecord.objects.all())
    return records if question.person is None else records.filter(user=question.person or None)


@contextmanager
def _room_to_group() -> Iterator[None]:
    """Let PostgreSQL group a hundred thousand people in memory: its default of 4 MB sends them to the disk."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL work_mem = '32MB'; SET LOCAL jit = off")
        yield


def _line(line: Mapping[str, Any], *, kept: bool) -> Line:
    answers = line["calls"] if line["kind"] == UsageKind.COMPLETION else 0
    sums = Sums.of_row([*(line[name] for name in SUMS), answers])
    return Line(line["day"], line["bot"], line["kind"], line["model"], sums, kept)

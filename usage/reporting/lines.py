"""The sums behind the report: of closed days from their rows, of other days and of one person from the records."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Q, Window

from usage.days import KEYS, SUMS
from usage.models import AGGREGATES, ClosedDay, UsageDay, UsageKind, UsageQuerySet, UsageRecord, last_closed
from usage.reporting.question import NOBODY, By, Question
from usage.reporting.sums_report import Sums

ANSWERS = {"count_answers": Count("pk", filter=Q(kind=UsageKind.COMPLETION))}


@dataclass(frozen=True, slots=True)
class Line:
    """The sums of a day, bot, kind and model. kept: whether the records behind them are; if not, whose is not known."""

    day: date
    bot: str
    model: str
    sums: Sums
    kept: bool


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


def _kept(question: Question, first: date, last: date) -> Iterator[Mapping[str, Any]]:
    if question.person is not None:
        yield from _of_person(question).sums_by_day()
        return
    # A single day is read itself: it takes a moment, and is the place to look at when something seems wrong.
    closed = min(last, last_closed()) if first < last else first - timedelta(days=1)
    if first <= closed:
        yield from ClosedDay.objects.lines(first, closed)
    if closed < last:
        yield from UsageRecord.objects.between(max(first, closed + timedelta(days=1)), last).sums_by_day()


def people(question: Question, most: int) -> tuple[list[tuple[int, Sums]], int]:
    """Return the sums of the people who cost most, so many of them, and how many people there are. One query."""
    records = _narrowed(question).exclude(user=None).order_by().values("user")
    sums = {**AGGREGATES, **ANSWERS}
    grouped: Any = records.annotate(**sums).annotate(people=Window(Count("*")))
    ranked = grouped.order_by("-sum_cost", "-count_calls", "user").values_list("people", "user", *sums)
    with _room_to_group():
        rows = list(ranked[:most])
    return [(person, _sums(values)) for _, person, *values in rows], rows[0][0] if rows else 0


def nobodys(question: Question) -> list[Line]:
    """Return the sums of those records and days whose persons are not known. Two queries."""
    return lines(question.narrow(By.PERSON, str(NOBODY)))


def _narrowed(question: Question) -> UsageQuerySet:
    records = UsageRecord.objects.between(*question.span)
    for by in (By.BOT, By.MODEL):
        if by in question.values:
            records = records.filter(**{by: question.values[by]})
    return records


def _of_person(question: Question) -> UsageQuerySet:
    records = _narrowed(question)
    return records.filter(user=None) if question.person == NOBODY else records.filter(user=question.person)


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
    sums = _sums([*(line[name] for name in SUMS), answers])
    return Line(line["day"], line["bot"], line["model"], sums, kept)


def _sums(values: Sequence[Any]) -> Sums:
    """Return the sums from their values in the order of SUMS, the answers last."""
    # (PostgreSQL's sums of big integers are decimals.)
    calls, *tokens_and_cost, answers = map(int, values)
    return Sums(calls, answers, *tokens_and_cost)

"""The report as a table: its rows in order, what is left out of them, and their total."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from usage.reporting.lines import Line, lines, nobodys, people
from usage.reporting.question import NOBODY, By, Question
from usage.reporting.sums_report import Sums

MOST_PEOPLE = 100


@dataclass(slots=True)
class Row:
    """The sums of one day, person, bot or model. folded: of how many of the calls no record is kept."""

    key: str
    sums: Sums = field(default_factory=Sums)
    folded: int = 0

    def add(self, line: Line) -> None:
        """Count a line."""
        self.sums.add(line.sums)
        self.folded += 0 if line.kept else line.sums.calls


@dataclass(frozen=True, slots=True)
class Table:
    """rows: in the order in which they are shown. more: the people left out, together. by_day: for the plot."""

    rows: list[Row]
    total: Row
    by_day: dict[date, Row]
    more: Row | None = None
    more_people: int = 0


def table(question: Question) -> Table:
    """Answer a question."""
    return _by_person(question) if question.by is By.PERSON else _by_line(question)


def _by_line(question: Question) -> Table:
    found = lines(question)
    keys: dict[By, Callable[[Line], str]] = {
        By.DAY: lambda line: line.day.isoformat(),
        By.BOT: lambda line: line.bot,
        By.MODEL: lambda line: line.model,
    }
    rows: dict[str, Row] = {}
    for line in found:
        key = keys[question.by](line)
        rows.setdefault(key, Row(key)).add(line)
    if question.by is By.DAY:
        ordered = sorted(rows.values(), key=lambda row: row.key, reverse=True)
    else:
        ordered = sorted(rows.values(), key=_dearest)
    return Table(ordered, _total(found), _by_day(found))


def _by_person(question: Question) -> Table:
    """Rows of people come from the records; the total from what the others use, so that all views have the same one."""
    ranked, count = people(question, MOST_PEOPLE)
    rows = [Row(str(person), sums) for person, sums in ranked]
    nobody = Row(str(NOBODY))
    for line in nobodys(question):
        nobody.add(line)
    if nobody.sums.calls:
        rows.append(nobody)
    found = lines(question)
    total = _total(found)
    more = _rest(total, rows) if count > MOST_PEOPLE else None
    return Table(rows, total, _by_day(found), more, max(0, count - MOST_PEOPLE))


def _rest(total: Row, rows: Iterable[Row]) -> Row:
    """Return what the rows leave of the total."""
    left = list(total.sums.as_row())
    for row in rows:
        left = [whole - part for whole, part in zip(left, row.sums.as_row(), strict=True)]
    return Row("", Sums(*left))


def _total(found: Iterable[Line]) -> Row:
    total = Row("")
    for line in found:
        total.add(line)
    return total


def _by_day(found: Iterable[Line]) -> dict[date, Row]:
    days: dict[date, Row] = defaultdict(partial(Row, ""))
    for line in found:
        days[line.day].add(line)
    return days


def _dearest(row: Row) -> tuple[int, int, str]:
    return -row.sums.cost_micros, -row.sums.calls, row.key

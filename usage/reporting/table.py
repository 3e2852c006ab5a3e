"""The report as a table: its rows in order, what is left out of them, and their total."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from usage.reporting.lines import Line, lines, nobodys, people
from usage.reporting.question import NOBODY, By, Question
from usage.totals import Sums

MOST_PEOPLE = 100


@dataclass(slots=True)
class Row:
    """The sums of one day, person, bot, kind or model. folded: of how many of the calls no record is kept."""

    key: str
    sums: Sums = field(default_factory=Sums)
    folded: int = 0

    def add(self, line: Line) -> None:
        """Count a line."""
        self.sums.add(line.sums)
        self.folded += 0 if line.kept else line.sums.calls


@dataclass(frozen=True, slots=True)
class Table:
    """rows: in the order in which they are shown. more: the people left out, together. lines: what the total is of."""

    rows: list[Row]
    total: Row
    lines: list[Line]
    more: Row | None = None
    more_people: int = 0

    def by(self, name: str) -> dict[str, Row]:
        """Return the sums by `day`, `bot`, `kind` or `model`."""
        rows: dict[str, Row] = {}
        for line in self.lines:
            key = str(getattr(line, name))
            rows.setdefault(key, Row(key)).add(line)
        return rows

    def dearest(self, name: str) -> list[Row]:
        """Return the same as a list, the dearest first."""
        return sorted(self.by(name).values(), key=lambda row: (-row.sums.cost_micros, -row.sums.calls, row.key))


def table(question: Question, most_people: int | None = None) -> Table:
    """Answer a question. most_people: of how many there are rows (MOST_PEOPLE)."""
    if question.by is By.PERSON:
        return _by_person(question, most_people or MOST_PEOPLE)
    found = lines(question)
    answer = Table([], _total(found), found)
    if question.by is By.DAY:
        answer.rows.extend(sorted(answer.by("day").values(), key=lambda row: row.key, reverse=True))
    else:
        answer.rows.extend(answer.dearest(question.by))
    return answer


def _by_person(question: Question, most: int) -> Table:
    """Rows of people come from the records; the total from what the others use, so that all views have the same one."""
    ranked, count = people(question, most)
    rows = [Row(str(person), sums) for person, sums in ranked]
    if question.person is None:
        nobody = _total(nobodys(question), str(NOBODY))
        rows += [nobody] if nobody.sums.calls else []
    found = lines(question)
    total = _total(found)
    more = _rest(total, rows) if count > most else None
    return Table(rows, total, found, more, max(0, count - most))


def _rest(total: Row, rows: Iterable[Row]) -> Row:
    """Return what the rows leave of the total."""
    left = list(total.sums.as_row())
    for row in rows:
        left = [whole - part for whole, part in zip(left, row.sums.as_row(), strict=True)]
    return Row("", Sums(*left))


def _total(found: Iterable[Line], key: str = "") -> Row:
    total = Row(key)
    for line in found:
        total.add(line)
    return total

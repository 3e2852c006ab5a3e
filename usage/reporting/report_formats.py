"""A usage report as tables for a terminal, and as CSV for everything else."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from config.desk.money import column
from usage.models import UsageKind
from usage.reporting.sums_report import Line, Person, Report, Sums

MOST_PEOPLE = 20
COLUMNS = ("calls", "answers", "input", "cached", "output", "cost")
CSV_COLUMNS = (
    *("day", "user_id", "name", "phone_number", "bot", "kind", "model"),
    *("calls", "answers", "input_tokens", "cached_input_tokens", "output_tokens", "cost_micros", "unpriced"),
)
# A spreadsheet takes a cell that begins so for a formula, which may send other cells anywhere.
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")

Key = TypeVar("Key")


class Writable(Protocol):
    """What texts can be written to."""

    def write(self, text: str, /) -> Any:
        """Write a text."""


def tables(report: Report) -> Iterator[str]:
    """Yield the lines of a report: by day, the total, then by bot, model, person and kind, the dearest first."""
    days = [(str(day), sums) for day, sums in sorted(report.by_day.items())]
    yield from _table("day", [*days, ("total", report.total)])
    yield from _table("bot", [(name or "(none)", sums) for name, sums in _dearest(report.by_bot)])
    yield from _table("model", _dearest(report.by_model))
    people = _dearest(report.by_person)
    yield from _table("person", [(_name(person), sums) for person, sums in people[:MOST_PEOPLE]])
    if len(people) > MOST_PEOPLE:
        yield f"and {len(people) - MOST_PEOPLE:,} more; --csv has everybody"
    yield from _table("kind", [(_kind(kind), sums) for kind, sums in _dearest(report.by_kind)])


def write_csv(lines: Iterable[Line], target: Writable) -> int:
    """Write lines as CSV (RFC 4180) with a header and return how many; amounts are integer micro-dollars.

    A text that a spreadsheet would take for a formula gets an apostrophe in front. Not a phone number: it is + and
    digits, whoever it belongs to.
    """
    writer = csv.writer(target)
    writer.writerow(CSV_COLUMNS)
    written = 0
    for line in lines:
        person = line.person
        texts = (safe_cell(text) for text in (line.bot, line.kind, line.model))
        writer.writerow(
            (line.day, person.user_id, safe_cell(person.name), person.phone_number, *texts, *line.sums.as_row())
        )
        written += 1
    return written


def safe_cell(text: str) -> str:
    """Return a text as a spreadsheet takes it for a text."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _dearest(groups: Mapping[Key, Sums]) -> list[tuple[Key, Sums]]:
    return sorted(groups.items(), key=lambda item: (-item[1].cost_micros, -item[1].calls, str(item[0])))


def _table(heading: str, rows: Sequence[tuple[str, Sums]]) -> Iterator[str]:
    cells = [(heading, *COLUMNS, ""), *((printable(name), *_cells(sums)) for name, sums in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    yield ""
    for name, *amounts, note in cells:
        columns = (amount.rjust(width) for amount, width in zip(amounts, widths[1:-1], strict=True))
        yield "  ".join((name.ljust(widths[0]), *columns, note)).rstrip()


def _cells(sums: Sums) -> tuple[str, ...]:
    counts = (sums.calls, sums.answers, sums.input_tokens, sums.cached_input_tokens, sums.output_tokens)
    note = f"+ {sums.unpriced:,} unpriced" if sums.unpriced else ""
    return (*(f"{count:,}" for count in counts), column(sums.cost_micros), note)


def _name(person: Person) -> str:
    if person.user_id is None:
        return "(deleted people) and old days"
    return " ".join(filter(None, (person.name, person.phone_number or f"(person {person.user_id})")))


def _kind(kind: str) -> str:
    return str(UsageKind(kind).label) if kind in UsageKind.values else kind


def printable(text: str) -> str:
    """Return a text without what moves a terminal's cursor or ends a line."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)

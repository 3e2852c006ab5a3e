"""The report as CSV: the rows of the page with their total, or a row for each day, person, bot, kind and model."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

from config.desk.money import decimal
from usage.reporting.lines import FETCHED_AT_ONCE, Line
from usage.reporting.page import ShownRow, more, rows, total
from usage.reporting.question import By, Question
from usage.reporting.table import Table
from usage.reporting.words import Names
from users.models import User
from users.whitelist.exporting import BYTE_ORDER_MARK
from users.whitelist.rows import as_text

SUMS = ("completions", "input_tokens", "cached_input_tokens", "output_tokens", "cost_usd", "without_price")

DETAILS = (
    *("day", "user_id", "name", "phone_number", "bot", "kind", "model"),
    *("calls", "answers", "input_tokens", "cached_input_tokens", "output_tokens", "cost_micros", "unpriced"),
)


class Writable(Protocol):
    """What texts can be written to."""

    def write(self, text: str, /) -> Any:
        """Write a text."""


def write_details(lines: Iterable[Line], target: Writable) -> int:
    """Write lines as CSV (RFC 4180) with a header and return how many; amounts are integer micro-dollars.

    Texts are made harmless for spreadsheets; a phone number is + and digits anyway. One query for many lines.
    """
    writer = csv.writer(target)
    writer.writerow(DETAILS)
    waiting, written = iter(lines), 0
    while chunk := list(islice(waiting, FETCHED_AT_ONCE)):
        people = User.objects.only("name", "phone_number").in_bulk({line.person for line in chunk if line.person})
        for line in chunk:
            person = people.get(line.person)
            whose = (as_text(person.name), person.phone_number or "") if person else ("", "")
            texts = map(as_text, (line.bot, line.kind, line.model))
            writer.writerow((line.day, line.person or None, *whose, *texts, *line.sums.as_row()))
        written += len(chunk)
    return written


def report_csv(question: Question, table: Table, names: Names) -> Iterator[str]:
    """Yield the lines of the file. Texts are made harmless for spreadsheets; a phone number is + and digits anyway."""
    people = question.by is By.PERSON
    yield BYTE_ORDER_MARK + _line([question.by, *(("phone_number",) if people else ()), *SUMS])
    keys = [row.key for row in table.rows]
    for key, row in zip(keys, rows(question, table, names), strict=True):
        name = key if question.by is By.DAY else as_text(row.label)
        yield _line([name, *((row.number,) if people else ()), *_amounts(row)])
    for row in filter(None, (more(table), total(question, table))):
        yield _line([row.label, *(("",) if people else ()), *_amounts(row)])


def _amounts(row: ShownRow) -> Sequence[object]:
    sums = row.sums
    cost = decimal(sums.cost_micros)
    return (sums.answers, sums.input_tokens, sums.cached_input_tokens, sums.output_tokens, cost, sums.unpriced)


def _line(cells: Sequence[object]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue()

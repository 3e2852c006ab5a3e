"""The report as a CSV file: the rows of the page, its total at the end."""

import csv
import io
from collections.abc import Iterator, Sequence

from config.desk.money import decimal
from usage.reporting.page import ShownRow, more, rows, total
from usage.reporting.question import By, Question
from usage.reporting.table import Table
from usage.reporting.words import Names
from users.whitelist.exporting import BYTE_ORDER_MARK
from users.whitelist.rows import as_text

SUMS = ("completions", "input_tokens", "cached_input_tokens", "output_tokens", "cost_usd", "without_price")


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

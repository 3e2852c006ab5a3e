"""The report as tables for a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from config.desk.money import column
from usage.models import UsageKind
from usage.reporting.question import NOBODY, By, Question
from usage.reporting.table import Row, Table, table
from usage.totals import Sums
from users.models import User

MOST_PEOPLE = 20
COLUMNS = ("calls", "answers", "input", "cached", "output", "cost")


def tables(question: Question) -> Iterator[str]:
    """Yield the report's lines: by day, the total, then by bot, model, person and kind; nothing without any usage."""
    found = table(replace(question, by=By.PERSON), MOST_PEOPLE)
    if not found.total.sums.calls:
        return
    days = sorted(found.by("day").values(), key=lambda row: row.key)
    yield from _table("day", [*days, Row("total", found.total.sums)])
    yield from _table("bot", found.dearest("bot"))
    yield from _table("model", found.dearest("model"))
    yield from _table("person", _named(found))
    if found.more_people:
        yield f"and {found.more_people:,} more; --csv has everybody"
    labels = dict(UsageKind.choices)
    yield from _table("kind", (Row(str(labels.get(row.key, row.key)), row.sums) for row in found.dearest("kind")))
    if found.total.sums.unpriced:
        yield "\nUnpriced: the price was not known. Add it under Model prices in the admin, then reprice."


def _named(found: Table) -> Iterator[Row]:
    """Yield the rows of people with their names; those of one name stay apart."""
    people = User.objects.only("name", "phone_number").in_bulk([int(row.key) for row in found.rows])
    for row in found.rows:
        person = people.get(int(row.key))
        name = (person.name, person.phone_number or f"(person {row.key})") if person else (f"(person {row.key})",)
        words = "(deleted people) and old days" if row.key == str(NOBODY) else " ".join(filter(None, name))
        yield Row(words, row.sums)


def _table(heading: str, rows: Iterable[Row]) -> Iterator[str]:
    cells = [(heading, *COLUMNS, ""), *((printable(row.key or "(none)"), *_cells(row.sums)) for row in rows)]
    widths = [max(map(len, texts)) for texts in zip(*cells, strict=True)]
    yield ""
    for name, *amounts, note in cells:
        columns = (amount.rjust(width) for amount, width in zip(amounts, widths[1:-1], strict=True))
        yield "  ".join((name.ljust(widths[0]), *columns, note)).rstrip()


def _cells(sums: Sums) -> Sequence[str]:
    counts = (sums.calls, sums.answers, sums.input_tokens, sums.cached_input_tokens, sums.output_tokens)
    note = f"+ {sums.unpriced:,} unpriced" if sums.unpriced else ""
    return (*(f"{count:,}" for count in counts), column(sums.cost_micros), note)


def printable(text: str) -> str:
    """Return a text without what moves a terminal's cursor or ends a line."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)

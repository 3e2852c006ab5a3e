"""Write people as a CSV file that importing understands: importing it again changes nothing."""

import csv
import io
from collections.abc import Iterable, Iterator

from django.db.models import QuerySet
from django.utils.formats import get_format

from config.desk.money import plain
from users.models import User
from users.phone import is_e164
from users.whitelist.columns import COLUMNS
from users.whitelist.rows import as_text, clean_name

BYTE_ORDER_MARK = "\ufeff"
CHUNK = 2_000
# People who do not exist, with numbers that are free for fiction.
EXAMPLE = [
    COLUMNS,
    ("+491713920001", "Dana Weber", "yes", "0.50"),
    ("+44 7700 900123", "Priya Shah", "yes", ""),
    ("+12125550147", "", "no", ""),
]


def spreadsheet_delimiter() -> str:
    """Return what divides the fields of a CSV file for a spreadsheet in the desk's language."""
    return ";" if get_format("DECIMAL_SEPARATOR") == "," else ","


def example_file() -> str:
    """Return the example as a file that a spreadsheet opens."""
    delimiter = spreadsheet_delimiter()
    lines = [(number, name, allowed, _decimal(budget, delimiter)) for number, name, allowed, budget in EXAMPLE]
    return BYTE_ORDER_MARK + _lines(lines, delimiter)


def export_people(people: QuerySet[User], *, bom: bool = False, delimiter: str = ",") -> Iterator[str]:
    """Yield a CSV file in chunks: people with a phone number, oldest first.

    bom: begin with a byte order mark, without which Excel takes UTF-8 for something else. Numbers stand there as they
    are ("+491711234567" is a number for a spreadsheet, and no formula that does anything); names are made harmless.
    With semicolons amounts have decimal commas. (A line "sep=;" would make Excel forget the byte order mark.)
    """
    yield (BYTE_ORDER_MARK if bom else "") + _lines([COLUMNS], delimiter)
    numbered = people.exclude(phone_number=None).order_by("pk")
    last = 0
    # By primary key and not by a cursor, which would hold a transaction open as long as the slowest download.
    while chunk := list(
        numbered.filter(pk__gt=last).values_list("pk", "phone_number", "name", "is_whitelisted", "daily_budget_micros")[
            :CHUNK
        ]
    ):
        last = chunk[-1][0]
        yield _lines((_cells(*person[1:], delimiter) for person in chunk), delimiter)


def _cells(number: str | None, name: str, allowed: bool, budget: int | None, delimiter: str) -> tuple[str, ...]:
    amount = _decimal(_dollars(budget), delimiter)
    return (_number(number or ""), as_text(clean_name(name)), "yes" if allowed else "no", amount)


def _number(stored: str) -> str:
    return stored if is_e164(stored) else as_text(stored)


def _decimal(amount: str, delimiter: str) -> str:
    return amount.replace(".", ",") if delimiter == ";" else amount


def _lines(rows: Iterable[tuple[str, ...]], delimiter: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


def _dollars(micros: int | None) -> str:
    return "" if micros is None else plain(micros)

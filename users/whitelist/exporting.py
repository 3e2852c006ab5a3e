"""Write people as a CSV file that importing understands: importing it again changes nothing."""

import csv
import io
from collections.abc import Iterable, Iterator

from django.db.models import QuerySet

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


def example_file() -> str:
    """Return the example as a file that a spreadsheet opens."""
    return BYTE_ORDER_MARK + _lines(EXAMPLE)


def export_people(people: QuerySet[User], *, bom: bool = False) -> Iterator[str]:
    """Yield a CSV file in chunks: people with a phone number, oldest first.

    bom: begin with a byte order mark, without which Excel takes UTF-8 for something else. Numbers stand there as they
    are ("+491711234567" is a number for a spreadsheet, and no formula that does anything); names are made harmless.
    """
    yield (BYTE_ORDER_MARK if bom else "") + _lines([COLUMNS])
    numbered = people.exclude(phone_number=None).order_by("pk")
    last = 0
    # By primary key and not by a cursor, which would hold a transaction open as long as the slowest download.
    while chunk := list(
        numbered.filter(pk__gt=last).values_list("pk", "phone_number", "name", "is_whitelisted", "daily_budget_micros")[
            :CHUNK
        ]
    ):
        last = chunk[-1][0]
        yield _lines(
            (
                _number(number or ""),
                as_text(clean_name(name)),
                "yes" if allowed else "no",
                _dollars(budget),
            )
            for _pk, number, name, allowed, budget in chunk
        )


def _number(stored: str) -> str:
    return stored if is_e164(stored) else as_text(stored)


def _lines(rows: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _dollars(micros: int | None) -> str:
    return "" if micros is None else plain(micros)

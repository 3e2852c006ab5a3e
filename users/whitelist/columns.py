"""The columns of a list of people: which there are, how they may be called, and what their cells say. No database."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from django.utils.translation import gettext as _

from config.desk.money import MICROS
from users.phone import read_number
from users.whitelist.rows import Row, check_name, from_text

Value = TypeVar("Value")

PHONE, NAME, WHITELISTED, BUDGET = COLUMNS = ("phone_number", "name", "whitelisted", "daily_budget_usd")
# Besides "phone_number", "Phone number" and "phone-number", which are the same here.
ALIASES = {"phone": PHONE, "number": PHONE, "telefon": PHONE, "teléfono": PHONE, "telefono": PHONE}
# As the desk says them in its languages, and spreadsheets in theirs.
YES = frozenset({"yes", "true", "1", "ja", "wahr", "sí", "si", "verdadero"})
NO = frozenset({"no", "false", "0", "nein", "falsch", "falso"})
DOLLARS = re.compile(r"[0-9]{1,12}(?:[.,][0-9]{1,6})?")
# With the sign that divides decimals elsewhere this may be thousands: 1.500 where 1,5 is one and a half.
THOUSANDS = re.compile(r"[1-9][0-9]{0,2}([.,])[0-9]{3}")
# 4.91712E+11 or, where the comma is the decimal sign, 4,91712E+11: the last digits are gone.
SCIENTIFIC = re.compile(r"\+?[0-9]+(?:[.,][0-9]+)?[eE]\+?[0-9]+")
DECIMAL = re.compile(r"\+?[0-9]{7,}[.,]0{1,2}")


class BadHeader(ValueError):
    """The first line cannot be used. The message says what is wrong and what would be right."""


class BadLine(ValueError):
    """A line cannot be used. The message says why, all reasons together."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which column each field of a line is; the first line is somebody already when there is no header.

    decimal: the sign before decimals, by what divides the fields.
    """

    columns: tuple[str, ...]
    has_header: bool
    decimal: str = "."


def column_of(title: str) -> str:
    """Return the column that a title means; of an unknown one the title itself, in lower case."""
    key = "_".join(unicodedata.normalize("NFC", title).replace("-", " ").lower().split())
    return ALIASES.get(key, key)


def read_layout(first: Sequence[str], decimal: str = ".") -> Layout:
    """Return the layout of a file from its first line: a header, else a phone number and perhaps a name.

    Raises:
        BadHeader: it is neither; a column is unknown, missing or there twice.
    """
    if _is_like_a_number(first[0]):
        return Layout((PHONE, NAME), False, decimal)
    columns = [column_of(title) for title in first]
    # A table's last columns may be empty throughout.
    while columns and not columns[-1]:
        columns.pop()
    if not set(columns) & set(COLUMNS):
        reason = _("The first line is no header. Expected: %(columns)s (only the first is required).")
        raise BadHeader(reason % {"columns": ",".join(COLUMNS)})
    unknown = [title.strip() for title, column in zip(first, columns, strict=False) if column not in COLUMNS]
    if unknown:
        raise BadHeader(_unknown(unknown))
    if PHONE not in columns:
        raise BadHeader(_("The column phone_number is missing."))
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise BadHeader(_("The column %(name)s is there twice.") % {"name": twice[0]})
    return Layout(tuple(columns), True, decimal)


def read_row(layout: Layout, cells: Sequence[str], line: int) -> Row:
    """Return what a line asks for; missing cells are empty ones.

    Raises:
        BadLine: a cell cannot be read, or there are more cells than columns.
    """
    if any(cell.strip() for cell in cells[len(layout.columns) :]):
        reason = _(
            "there are %(cells)s fields and only %(columns)s columns (text with the delimiter in it needs quotes)"
        )
        raise BadLine(reason % {"cells": len(cells), "columns": len(layout.columns)})
    given = dict(zip(layout.columns, cells, strict=False))
    problems: list[str] = []

    def read(column: str, reader: Callable[[str], Value], otherwise: Value) -> Value:
        try:
            return reader(given.get(column, ""))
        except ValueError as error:
            problems.append(str(error))
            return otherwise

    row = Row(
        line,
        read(PHONE, read_phone, ""),
        read(NAME, lambda cell: check_name(from_text(cell)), ""),
        read(WHITELISTED, read_whitelisted, True),
        read(BUDGET, lambda cell: read_budget(cell, layout.decimal), None),
    )
    if problems:
        raise BadLine("; ".join(problems))
    return row


def read_phone(cell: str) -> str:
    """Return a cell's number as E.164."""
    text = cell.strip().removeprefix("'")
    if not text:
        raise ValueError(_("the phone number is missing"))
    if SCIENTIFIC.fullmatch(text) or DECIMAL.fullmatch(text):
        raise ValueError(
            _(
                "a spreadsheet has turned this phone number into a calculated one, and digits may be lost: format the "
                "column as text and enter the number again, such as +491711234567"
            )
        )
    return read_number(text)


def read_whitelisted(cell: str) -> bool:
    """Return whether a cell says yes; an empty one does."""
    word = cell.strip().lower()
    if not word or word in YES:
        return True
    if word in NO:
        return False
    raise ValueError(_("whitelisted must be yes or no (or true, false, 1, 0; empty means yes)"))


def read_budget(cell: str, decimal: str = ".") -> int | None:
    """Return a cell's dollars in micro-dollars, and None for an empty one."""
    text = cell.strip()
    if not text:
        return None
    if (match := THOUSANDS.fullmatch(text)) and match[1] != decimal:
        raise ValueError(
            _("daily_budget_usd %(amount)s may be thousands or decimals here: write 1500 or 1.5") % {"amount": text}
        )
    if not DOLLARS.fullmatch(text):
        raise ValueError(_("daily_budget_usd must be an amount of dollars such as 25 or 0.50, with at most 6 decimals"))
    return int(Decimal(text.replace(",", ".")) * MICROS)


def _is_like_a_number(cell: str) -> bool:
    """Return whether a cell is meant as a phone number, even if it cannot be read as one."""
    text = cell.strip()
    has_digit = any(character.isdigit() for character in text)
    return has_digit and (bool(SCIENTIFIC.fullmatch(text)) or not any(character.isalpha() for character in text))


def _unknown(titles: Sequence[str]) -> str:
    reason = _("Unknown columns: %(unknown)s. Known: %(known)s.")
    text = reason % {"unknown": ", ".join(repr(title[:40]) for title in titles[:10]), "known": ", ".join(COLUMNS)}
    if "role" in map(column_of, titles):
        text += " " + _("Roles are not handed out by a file.")
    return text

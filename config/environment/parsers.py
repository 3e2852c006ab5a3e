"""Parsers of environment variables: each takes the raw text and returns a plain value, or says what was expected.

The message of a ValueError completes the sentence "NAME …" and never quotes the value, which may be a secret.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
DOLLARS = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,6})?")


class Refused(ValueError):
    """A value is not what was expected; the text says so more exactly than the parser's `expected`."""


@dataclass(frozen=True)
class Parser:
    """Turn a raw text into a plain value. `expected` completes the sentence "NAME must be …"; empty: anything will do.

    convert is given the text without surrounding white space, and raises a ValueError for what it does not accept.
    """

    expected: str
    convert: Callable[[str], Any]

    def __call__(self, raw: str) -> Any:
        """Return the value.

        Raises:
            ValueError: it is not what was expected; the text completes the sentence "NAME …".
        """
        try:
            return self.convert(raw.strip())
        except Refused:
            raise
        except ValueError:
            raise ValueError(f"must be {self.expected}") from None


def accept(is_right: bool) -> None:
    """Raise the ValueError that a Parser turns into its message, unless the value is right."""
    if not is_right:
        raise ValueError


def split_words(value: str) -> list[str]:
    """Return the items of a comma-separated list; empty ones are dropped."""
    return [word.strip() for word in value.split(",") if word.strip()]


def _boolean(value: str) -> bool:
    word = value.lower()
    accept(word in {"1", "true", "yes", "on", "0", "false", "no", "off"})
    return word in {"1", "true", "yes", "on"}


def _header(value: str) -> str:
    accept(bool(HEADER.fullmatch(value)))
    return value


text = Parser("", str)
# No underscore: servers drop such names, or take them for hyphens.
header = Parser("the name of a header: letters, digits and hyphens", _header)
words = Parser("", split_words)
# The usual words for yes and no, and nothing else.
boolean = Parser("true or false", _boolean)


# Longer ones do not fit into the kernel's address of a socket (108 bytes, macOS 104), with the project's folder before.
LONGEST_SOCKET = 100


def _socket_path(value: str) -> str:
    accept(0 < len(value.encode()) <= LONGEST_SOCKET and "\0" not in value)
    return value


socket_path = Parser(f"the path of a Unix socket, {LONGEST_SOCKET} bytes at most", _socket_path)


def integer(minimum: int, maximum: int) -> Parser:
    """Return a parser of whole numbers from minimum to maximum."""

    def convert(value: str) -> int:
        number = int(value)
        accept(minimum <= number <= maximum)
        return number

    return Parser(f"a whole number from {minimum} to {maximum}", convert)


def _dollars(value: str) -> Decimal:
    accept(bool(DOLLARS.fullmatch(value)))
    return Decimal(value)


# Without a sign, a unit or separators of thousands, down to a micro-dollar.
dollars = Parser("an amount of dollars such as 25 or 0.50, with at most 6 decimals", _dollars)


def micros(amount: Decimal | None) -> int | None:
    """Return dollars in micro-dollars, as money is kept everywhere; None stays None."""
    return None if amount is None else int(amount * 1_000_000)


def choice(*allowed: str) -> Parser:
    """Return a parser that accepts one of the given words, in any case."""
    by_lower = {word.lower(): word for word in allowed}

    def convert(value: str) -> str:
        accept(value.lower() in by_lower)
        return by_lower[value.lower()]

    return Parser(f"one of {', '.join(allowed)}", convert)


def choices(*allowed: str) -> Parser:
    """Return a parser of comma-separated lists of the given words, each once, in any case; "none" is an empty list."""

    def convert(value: str) -> list[str]:
        if value.lower() == "none":
            return []
        chosen = dict.fromkeys(word.lower() for word in split_words(value))
        accept(bool(chosen) and set(chosen) <= set(allowed))
        return list(chosen)

    return Parser(f"a comma-separated list of {', '.join(allowed)}, or none", convert)


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (LookupError, OSError):
        raise ValueError from None
    return value


# One that this machine knows.
time_zone = Parser("a time zone such as UTC or Europe/Berlin", _time_zone)


def _region(value: str) -> str:
    # Imported here: 20 ms that only those pay who set a region.
    from phonenumbers import SUPPORTED_REGIONS

    code = value.upper()
    accept(code in SUPPORTED_REGIONS)
    return code


# A country whose phone numbers are known.
region = Parser("the two letters of a country, such as DE or GB", _region)

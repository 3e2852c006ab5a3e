"""Parsers of environment variables: each takes the raw text and returns a plain value, or says what was expected.

The message of a ValueError completes the sentence "NAME …" and never quotes the value, which may be a secret.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

import environ

HOST_NAME = re.compile(r"\*|\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")
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


def _words(value: str) -> list[str]:
    return [word.strip() for word in value.split(",") if word.strip()]


def _boolean(value: str) -> bool:
    word = value.lower()
    accept(word in {"1", "true", "yes", "on", "0", "false", "no", "off"})
    return word in {"1", "true", "yes", "on"}


text = Parser("", str)
words = Parser("", _words)
# The usual words for yes and no, and nothing else.
boolean = Parser("true or false", _boolean)


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
        chosen = dict.fromkeys(word.lower() for word in _words(value))
        accept(bool(chosen) and set(chosen) <= set(allowed))
        return list(chosen)

    return Parser(f"a comma-separated list of {', '.join(allowed)}, or none", convert)


def _hosts(value: str) -> list[str]:
    names = _words(value)
    accept(all(HOST_NAME.fullmatch(name) for name in names))
    return names


# Comma-separated, as Django matches them.
hosts = Parser("host names such as parley.example.org, without scheme, port or path", _hosts)


def url(*schemes: str) -> Parser:
    """Return a parser of absolute URLs with one of the given schemes; a trailing slash is dropped."""

    def convert(value: str) -> str:
        accept(split_url(value).scheme in schemes)
        return value.rstrip("/")

    return Parser(f"a URL that starts with {' or '.join(f'{it}://' for it in schemes)} and names a host", convert)


def origin(*schemes: str) -> Parser:
    """Return a parser of URLs that end after host and port."""

    def convert(value: str) -> str:
        bare = value.rstrip("/")
        parts = split_url(bare)
        accept(parts.scheme in schemes and not (parts.path or parts.query or parts.fragment or parts.username))
        return bare

    return Parser(f"{' or '.join(f'{scheme}://' for scheme in schemes)} and a host, without a path", convert)


def _sentry_dsn(value: str) -> str:
    parts = split_url(value)
    accept(parts.scheme in {"http", "https"} and bool(parts.username) and parts.path.rsplit("/", 1)[-1].isdigit())
    return value


# What Sentry shows as a project's client key.
sentry_dsn = Parser("a Sentry DSN such as https://key@o1.ingest.sentry.io/1", _sentry_dsn)


def split_url(value: str) -> SplitResult:
    """Return the parts of an absolute URL with a host and, where there is one, a numeric port.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(value)
    accept(bool(parts.hostname) and (parts.port is None or parts.port > 0) and not re.search(r"\s", value))
    # A slash in a password ends the host's part: what follows would be taken for the path, and shown.
    accept("@" not in parts.path)
    return parts


def _database_url(value: str) -> dict[str, Any]:
    scheme, _, rest = value.partition("://")
    # sqlite://data/db.sqlite3 means the host "data": the library would silently open another file.
    if scheme.startswith("sqlite") and not rest.startswith("/") and value not in {"sqlite://", "sqlite://:memory:"}:
        raise Refused("must have three slashes and a path: sqlite:///path/to/file.sqlite3")
    # Asked first, because the library warns about other schemes and shows the password in the warning.
    accept(scheme in {"postgres", "postgresql", "sqlite"})
    if scheme != "sqlite" and re.search(r"[/#]", rest.partition("?")[0].rpartition("@")[0]):
        raise Refused("must have / and # of the user and the password written as %2F and %23")
    try:
        config: dict[str, Any] = environ.Env.db_url_config(value)
    except Exception:  # the library raises whatever its parsing meets
        raise ValueError from None
    accept(bool(config.get("NAME")))
    return config


# Returns Django's configuration of the database.
database_url = Parser(
    "a URL such as postgres://user:password@host:5432/name or sqlite:///path/to/file.sqlite3", _database_url
)


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

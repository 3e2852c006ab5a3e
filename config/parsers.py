"""Parsers of environment variables: each takes the raw text and returns a plain value, or says what was expected.

The message of a ValueError completes the sentence "NAME …" and never quotes the value, which may be a secret.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

import environ

Parser = Callable[[str], Any]

HOST_NAME = re.compile(r"\*|\.?[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\]")
DOLLARS = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,6})?")
DATABASE_FORMS = "must be a URL such as postgres://user:password@host:5432/name or sqlite:///path/to/file.sqlite3"


def text(value: str) -> str:
    """Accept any text; surrounding white space is dropped."""
    return value.strip()


def boolean(value: str) -> bool:
    """Accept the usual words for yes and no, and nothing else."""
    word = value.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise ValueError("must be true or false")


def integer(minimum: int, maximum: int) -> Parser:
    """Return a parser of whole numbers from minimum to maximum."""

    def parse(value: str) -> int:
        expected = f"must be a whole number from {minimum} to {maximum}"
        try:
            number = int(value)
        except ValueError:
            raise ValueError(expected) from None
        if not minimum <= number <= maximum:
            raise ValueError(expected)
        return number

    return parse


def dollars(value: str) -> Decimal:
    """Accept an amount of dollars, down to a micro-dollar; without a sign, a unit or separators of thousands."""
    if not DOLLARS.fullmatch(value.strip()):
        raise ValueError("must be an amount of dollars such as 25 or 0.50, with at most 6 decimals")
    return Decimal(value.strip())


def micros(amount: Decimal | None) -> int | None:
    """Return dollars in micro-dollars, as money is kept everywhere; None stays None."""
    return None if amount is None else int(amount * 1_000_000)


def choice(*allowed: str) -> Parser:
    """Return a parser that accepts one of the given words, in any case."""

    def parse(value: str) -> str:
        for word in allowed:
            if value.strip().lower() == word.lower():
                return word
        raise ValueError(f"must be one of {', '.join(allowed)}")

    return parse


def choices(*allowed: str) -> Parser:
    """Return a parser of comma-separated lists of the given words, each once, in any case; "none" is an empty list."""

    def parse(value: str) -> list[str]:
        if value.strip().lower() == "none":
            return []
        chosen = dict.fromkeys(word.lower() for word in words(value))
        if not chosen or not set(chosen) <= set(allowed):
            raise ValueError(f"must be a comma-separated list of {', '.join(allowed)}, or none")
        return list(chosen)

    return parse


def words(value: str) -> list[str]:
    """Accept a comma-separated list; empty items are dropped."""
    return [word.strip() for word in value.split(",") if word.strip()]


def hosts(value: str) -> list[str]:
    """Accept a comma-separated list of host names as Django matches them: no scheme, no port, no path."""
    names = words(value)
    if not all(HOST_NAME.fullmatch(name) for name in names):
        raise ValueError("must be host names such as parley.example.org, without scheme, port or path")
    return names


def url(*schemes: str) -> Parser:
    """Return a parser of absolute URLs with one of the given schemes; a trailing slash is dropped."""
    expected = f"must be a URL that starts with {' or '.join(f'{scheme}://' for scheme in schemes)} and names a host"

    def parse(value: str) -> str:
        parts = split_url(value.strip(), expected)
        if parts.scheme not in schemes:
            raise ValueError(expected)
        return value.strip().rstrip("/")

    return parse


def origin(*schemes: str) -> Parser:
    """Return a parser of URLs that end after host and port."""
    expected = f"must be {' or '.join(f'{scheme}://' for scheme in schemes)} and a host, without a path"

    def parse(value: str) -> str:
        bare = value.strip().rstrip("/")
        parts = split_url(bare, expected)
        if parts.scheme not in schemes or parts.path or parts.query or parts.fragment or parts.username:
            raise ValueError(expected)
        return bare

    return parse


def sentry_dsn(value: str) -> str:
    """Accept what Sentry shows as a project's client key."""
    expected = "must be a Sentry DSN such as https://key@o1.ingest.sentry.io/1"
    parts = split_url(value.strip(), expected)
    if parts.scheme not in {"http", "https"} or not parts.username or not parts.path.rsplit("/", 1)[-1].isdigit():
        raise ValueError(expected)
    return value.strip()


def split_url(value: str, expected: str) -> SplitResult:
    """Return the parts of an absolute URL with a host and, where there is one, a numeric port."""
    try:
        parts = urlsplit(value)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0) and not re.search(r"\s", value)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(expected) from None
    return parts


def database_url(value: str) -> dict[str, Any]:
    """Accept the URL of a PostgreSQL or SQLite database and return Django's configuration of it."""
    raw = value.strip()
    # sqlite://data/db.sqlite3 means the host "data": the library would silently open another file.
    if raw.startswith("sqlite:") and not raw.startswith("sqlite:///") and raw not in {"sqlite://", "sqlite://:memory:"}:
        raise ValueError("must have three slashes and a path: sqlite:///path/to/file.sqlite3")
    # Asked first, because the library warns about other schemes and shows the password in the warning.
    if raw.partition("://")[0] not in {"postgres", "postgresql", "sqlite"}:
        raise ValueError(DATABASE_FORMS)
    try:
        config: dict[str, Any] = environ.Env.db_url_config(raw)
    except Exception:  # the library raises whatever its parsing meets
        raise ValueError(DATABASE_FORMS) from None
    if not config.get("NAME"):
        raise ValueError(DATABASE_FORMS)
    return config


def time_zone(value: str) -> str:
    """Accept the name of a time zone this machine knows."""
    name = value.strip()
    try:
        ZoneInfo(name)
    except (LookupError, OSError, ValueError):
        raise ValueError("must name a time zone such as UTC or Europe/Berlin") from None
    return name


def region(value: str) -> str:
    """Accept a country whose phone numbers are known, as its two letters."""
    # Imported here: 20 ms that only those pay who set a region.
    from phonenumbers import SUPPORTED_REGIONS

    code = value.strip().upper()
    if code not in SUPPORTED_REGIONS:
        raise ValueError("must be the two letters of a country, such as DE or GB")
    return code

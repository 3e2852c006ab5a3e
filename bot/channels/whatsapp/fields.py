"""Check single values of a webhook's body: nothing in it is of the type one expects, until it was looked at."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

LONGEST_ID = 255
LONGEST_ERROR_CODE = 32
# Until the year 2100. What lies beyond is no timestamp in seconds.
LATEST_TIMESTAMP = 4_102_444_800

# Said of the whole account, so of the next message too: permissions (3, 10, 200 to 299), the phone number deleted (33),
# a breach of policy (368), no access (131005), locked (131031), no approved display name (131037), no payment (131042),
# the number's registration or certificate (131045, 133010).
ACCOUNT_CODES = frozenset({3, 10, *range(200, 300), 33, 368, 131005, 131031, 131037, 131042, 131045, 133010})

_PHONE_NUMBER_ID = re.compile(r"[0-9]{1,32}")
# Business-scoped user ids: country, dot, up to 128 alphanumerics; a parent id has one more part (US.ENT.1181…).
_BSUID = re.compile(r"[A-Za-z]{2}(?:\.[A-Za-z0-9]{1,128}){1,2}")


class Malformed(ValueError):
    """An item is not what WhatsApp sends. The text is fixed: it says what was expected, never what was found."""


def member(parent: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the object under key."""
    value = parent.get(key)
    if not isinstance(value, dict):
        raise Malformed(f'"{key}" is not an object')
    return value


def string(parent: dict[str, Any], key: str) -> str:
    """Return the text under key."""
    value = parent.get(key)
    if not isinstance(value, str):
        raise Malformed(f'"{key}" is not a text')
    return value


def identifier(value: Any) -> str:
    """Return an id of 1 to 255 printable characters, or an empty string."""
    usable = isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable()
    return value if usable else ""


def phone_number(value: Any) -> str:
    """Return + and the digits, or an empty string."""
    digits = value.removeprefix("+") if isinstance(value, str) else ""
    return f"+{digits}" if 4 <= len(digits) <= 15 and digits.isascii() and digits.isdecimal() else ""


def is_phone_number_id(value: str) -> bool:
    """Return whether a text may be Meta's id of a phone number: 1 to 32 digits. It stands in the path of URLs."""
    return bool(_PHONE_NUMBER_ID.fullmatch(value))


def bsuid(value: Any) -> str:
    """Return a business-scoped user id of at most 255 characters, or an empty string."""
    usable = isinstance(value, str) and len(value) <= LONGEST_ID and _BSUID.fullmatch(value)
    return value if usable else ""


def moment(value: Any) -> datetime | None:
    """Return the moment of a timestamp in seconds; a message with a bad one still counts, without."""
    if isinstance(value, str) and len(value) <= 10 and value.isascii() and value.isdecimal():
        value = int(value)
    return _moment(value) if type(value) is int and 0 < value < LATEST_TIMESTAMP else None


# What comes together was mostly sent in the same seconds.
@lru_cache(maxsize=64)
def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def error_codes(item: dict[str, Any]) -> Iterator[int | str]:
    """Yield the code of each of an item's errors."""
    errors = item.get("errors")
    for error in errors if isinstance(errors, list) else ():
        code = error.get("code") if isinstance(error, dict) else None
        if isinstance(code, int | str) and not isinstance(code, bool):
            yield code


def has_code(item: dict[str, Any], wanted: int) -> bool:
    """Return whether one of an item's errors has this code."""
    return any(code in (wanted, str(wanted)) for code in error_codes(item))


def error_code(item: dict[str, Any]) -> str:
    """Return the first error's code, or an empty string."""
    return written_code(next(error_codes(item), ""))


def written_code(code: int | str) -> str:
    """Return a code as it is stored and logged: 32 printable characters at most, or an empty string."""
    written = str(code)[:LONGEST_ERROR_CODE]
    return written if written.isprintable() else ""

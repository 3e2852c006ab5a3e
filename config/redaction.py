"""Mask personal data and secrets in what leaves the process: log lines and error reports. Standard library only.

Two nets: by key (a field called `text` or `token` is masked whatever it holds) and by value (what looks like a phone
number, a key or a token is masked wherever it stands).
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

MASK = "[redacted]"
MAX_DEPTH = 12

# The group's name becomes the mask. Order matters: what stands inside a longer secret comes after it.
PATTERN = re.compile(
    r"""
      (?P<credentials> (?<=://) [^\s/@"']+ (?=@) )
    | (?P<row> (?<=DETAIL:) [^\n]+ )                              # PostgreSQL quotes the row that it refuses
    | (?P<token>
          (?<=[Bb]earer\s) [^\s"',;]+ | (?<=[Bb]asic\s) [A-Za-z0-9+/=_-]{8,}
        | \bEAA[A-Za-z0-9]{10,}                                   # Meta
        | (?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}                      # Telegram, also inside /bot<token>/
        | (?<=verify_token=)[^\s&"']+
      )
    | (?P<key> \bsk-[A-Za-z0-9_*-]{3,} )
    | (?P<secret> \bwhsec_[A-Za-z0-9+/=_-]+ )
    | (?P<phone> (?:\+|%2[Bb]) [1-9] (?:[ ().\-/]{0,3}\d){3,14} )  # anchored: bare digits are ids and timestamps
    | (?P<bsuid> \b[A-Z]{2}\.(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{8,128}\b )  # WhatsApp's id of a person
    """,
    re.VERBOSE,
)

# On its own, because it is slow to look for and rarely there. The bound keeps a hostile line linear.
EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")

# Names of personal fields, whole or after a separator: `text` and `reply_text`, but not `context`.
PERSONAL_KEY = re.compile(
    r"^(?:from|to|number)$"
    r"|(?:^|[_.\-\s])(?:text|body|content|payload|prompt|caption|address|phone|phone_?number|e?mail|wa_?id"
    r"|recipient(?:_user)?_?id|from_user_id|chat_?id|sender|profile_?name|cookies?)$",
    re.IGNORECASE,
)
# Names of secrets, however they are prefixed: `token`, `access_token`, `accessToken`, but not `input_tokens`.
SECRET_KEY = re.compile(
    r"(?:token|secret|password|passwd|passphrase|authorization|credentials?|api_?key|secret_?key|private_?key|signature"
    r"(?:-256)?|dsn|database_url|redis_url)$",
    re.IGNORECASE,
)


def redact(text: str) -> str:
    """Return text with phone numbers, e-mail addresses, keys and tokens replaced by `[phone]`, `[email]`, …"""
    masked = PATTERN.sub(lambda match: f"[{match.lastgroup}]", text)
    return EMAIL.sub("[email]", masked) if "@" in masked else masked


@lru_cache(maxsize=2_048)
def is_sensitive(key: str) -> bool:
    """Return whether a field of this name is masked whatever it holds."""
    return bool(SECRET_KEY.search(key) or PERSONAL_KEY.search(key))


def redact_value(value: Any, depth: int = 0) -> Any:
    """Return a copy of value that is safe to show; objects become their redacted text, bytes only their length."""
    if value is None or isinstance(value, (bool, int, float, Decimal, datetime, date, UUID)):
        return value
    if isinstance(value, str):
        return redact(value)
    if depth >= MAX_DEPTH:
        return MASK
    if isinstance(value, Mapping):
        return redact_mapping(value, depth)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact_value(item, depth + 1) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"[{len(value)} bytes]"
    return redact(str(value))


def redact_mapping(mapping: Mapping[Any, Any], depth: int = 0) -> dict[Any, Any]:
    """Return a copy of mapping with sensitive fields masked by key, and everything else by value, at every level.

    Empty values stay as they are: that something is missing is worth knowing and tells nothing.
    """
    result: dict[Any, Any] = {}
    for key, value in mapping.items():
        hidden = (
            isinstance(key, str) and is_sensitive(key) and value not in (None, "", b"") and not isinstance(value, bool)
        )
        safe_key = redact(key) if isinstance(key, str) else key
        result[safe_key] = MASK if hidden else redact_value(value, depth + 1)
    return result


def phone_hash(number: str, key: str) -> str:
    """Return 12 hexadecimal characters that stand for a phone number in logs; without the key it cannot be guessed."""
    return hmac.new(key.encode(), number.encode(), hashlib.sha256).hexdigest()[:12]

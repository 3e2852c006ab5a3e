"""Redaction of personal data and secrets in log lines and error reports. Standard library only.

Three nets: by key (a field called `text` or `token` is masked whatever it holds), by value (what looks like a phone
number, a key or a token is masked wherever it stands), and by what is known: this installation's own secrets, however
they look, and the address of the person whose turn it is.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import UUID

from config.logs.context import adding, bound

Function = TypeVar("Function", bound=Callable[..., Any])

MASK = "[redacted]"
MAX_DEPTH = 12

# The group's name becomes the mask. Order matters: a pattern inside a longer secret comes after it.
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
    | (?P<wamid> \bwamid\.[A-Za-z0-9+/=_-]+ )                    # its id of a message is the number in base64
    | (?P<bsuid> \b[A-Z]{2}\.(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{8,128}\b )  # WhatsApp's id of a person
    """,
    re.VERBOSE,
)

# Separate, because it is slow and rarely matches. The bound keeps a hostile line linear.
EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")

# In a library's message. A phone number has seven digits at least, a process id or a port fewer.
LONG_NUMBER = re.compile(r"(?:\d[ ().\-/]{0,2}){8,}\d")

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


# PATTERN matches only texts that contain one of these or "XX." (a BSUID), which are many times faster to search for.
_SIGNS = ("+", "%2", "sk-", "EAA", "://", "DETAIL:", "earer", "asic ", "whsec_", "verify_token", "wamid", ":")
_BSUID_SIGN = re.compile(r"[A-Z]{2}\.")
# Longer ones are mostly tracebacks, which come once.
LONGEST_CACHED = 64

# Shorter secrets would mask ordinary words; more of them, or longer ones, would make every line slow.
SHORTEST_SECRET = 8
LONGEST_SECRET = 1_000
MOST_SECRETS = 600
_secrets_of: dict[str, tuple[str, ...]] = {}
_secrets: tuple[str, ...] = ()
_remembering: list[Any] = []

# Bare digits without a plus: only a known number can be told from an id.
SHORTEST_NUMBER = 7


def register_secrets(owner: str, values: Iterable[str]) -> None:
    """Mask these values everywhere from now on, also url-encoded, in base64 or in a repr.

    They replace the owner's former values.
    """
    global _secrets
    wanted = {value for value in values if SHORTEST_SECRET <= len(value) <= LONGEST_SECRET}
    spelled = tuple(dict.fromkeys(spelling for value in sorted(wanted) for spelling in _spellings(value)))
    if _secrets_of.get(owner) == spelled:
        return
    _secrets_of[owner] = spelled
    # The longest first: masking a secret inside another would leave the rest of that visible.
    known = sorted({value for values in _secrets_of.values() for value in values}, key=len, reverse=True)
    _secrets = tuple(known[:MOST_SECRETS])
    for function in _remembering:
        function.cache_clear()


def remembered(function: Function) -> Function:
    """Remember what a function makes of short texts, until other secrets are known."""
    _remembering.append(cached := lru_cache(maxsize=4_096)(function))
    return cached  # type: ignore[return-value]


def _spellings(value: str) -> tuple[str, ...]:
    encoded = b64encode(value.encode(errors="surrogatepass")).decode().rstrip("=")
    return (value, quote(value, safe="", errors="replace"), repr(value)[1:-1], encoded)


def hide(*addresses: str) -> AbstractContextManager[None]:
    """Mask these addresses inside the block, numbers also without their plus."""
    return adding({}, hideable(*addresses))


def hideable(*addresses: str) -> tuple[str, ...]:
    """Return the texts to bind as hidden so that lines do not show these addresses."""
    return tuple(address.lstrip("+") for address in addresses if len(address) >= SHORTEST_NUMBER)


def redact(text: str) -> str:
    """Return text with phone numbers, e-mail addresses, keys and tokens replaced by `[phone]`, `[email]`, …"""
    # (Ids, names of events and of loggers come again and again.)
    masked = _redact_short(text) if len(text) <= LONGEST_CACHED else _redact(text)
    for address in bound().hidden:
        if address in masked:
            masked = masked.replace(address, "[address]")
    return masked


def _redact(text: str) -> str:
    for secret in _secrets:
        if secret in text:
            text = text.replace(secret, "[secret]")
    if any(sign in text for sign in _SIGNS) or _BSUID_SIGN.search(text):
        text = PATTERN.sub(lambda match: f"[{match.lastgroup}]", text)
    return EMAIL.sub("[email]", text) if "@" in text else text


_redact_short = remembered(_redact)


def redact_foreign(text: str) -> str:
    """Return the first line of a library's log message, redacted, without any long number.

    Libraries put their input into messages; our own events are fixed names.
    """
    return LONG_NUMBER.sub("[digits]", redact(text.split("\n", 1)[0]))


@lru_cache(maxsize=2_048)
def is_sensitive(key: str) -> bool:
    """Return whether a field of this name is always masked."""
    return bool(SECRET_KEY.search(key) or PERSONAL_KEY.search(key))


def redact_value(value: Any, depth: int = 0) -> Any:
    """Return a redacted copy of value; objects become their redacted text, bytes only their length."""
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
    """Return a copy of mapping with sensitive fields masked by key and all others by value, at every level.

    Empty values stay: that something is missing is useful and reveals nothing.
    """
    result: dict[Any, Any] = {}
    for key, value in mapping.items():
        if not isinstance(key, str):
            result[key] = redact_value(value, depth + 1)
            continue
        name, sensitive = _field(key) if depth == 0 else (redact(key), is_sensitive(key))
        # Fast path: most values of a log line are strings and integers.
        kind = type(value)
        if sensitive and value not in (None, "", b"") and kind is not bool:
            result[name] = MASK
        elif kind is str:
            result[name] = redact(value)
        else:
            result[name] = value if kind is int else redact_value(value, depth + 1)
    return result


@lru_cache(maxsize=2_048)
def _field(key: str) -> tuple[str, bool]:
    """Return the redacted name of a line's field, and whether its value is masked."""
    return _redact(key), is_sensitive(key)


def phone_hash(number: str, key: str) -> str:
    """Return 12 hexadecimal characters that stand for a phone number in logs; without the key it cannot be guessed."""
    keyed = _keyed_hash(key).copy()
    keyed.update(number.encode(errors="replace"))
    return keyed.hexdigest()


@lru_cache(maxsize=4)
def _keyed_hash(key: str) -> "hashlib.blake2b":
    """Return BLAKE2 with a key, which takes 64 bytes at most, and nothing hashed yet."""
    return hashlib.blake2b(digest_size=6, key=hashlib.sha512(key.encode()).digest())

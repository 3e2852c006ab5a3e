"""Our own id of a message, as a provider is given it and echoes it in delivery statuses.

A bare number would be understood of anybody: of another system on the same account, of an installation whose ids begin
at 1 again, of staging beside production. So the id carries a code that only who has the account's key can make.
"""

import hmac
from collections.abc import Sequence
from typing import Any

LARGEST_ID = 2**63 - 1
# 64 bits, in hexadecimal.
CODE_LENGTH = 16


def sign_id(keys: Sequence[bytes], id: int) -> str:
    """Return an id with its code, such as "42.9f86d081884c7d65", made with the first key; without keys nothing."""
    return f"{id}.{_code(keys[0], id)}" if keys else ""


def read_id(keys: Sequence[bytes], value: Any) -> int | None:
    """Return the id that was signed with one of the keys; None: the value is none of ours."""
    if not isinstance(value, str) or not value.isascii():
        return None
    digits, _dot, code = value.partition(".")
    if len(digits) > len(str(LARGEST_ID)) or len(code) != CODE_LENGTH or not digits.isdecimal():
        return None
    id = int(digits)
    # (The code is of the id as we write it: not of "042".)
    known = any(hmac.compare_digest(f"{id}.{_code(key, id)}", value) for key in keys)
    return id if known and 0 < id <= LARGEST_ID else None


def _code(key: bytes, id: int) -> str:
    return hmac.digest(key, str(id).encode(), "sha256").hex()[:CODE_LENGTH]

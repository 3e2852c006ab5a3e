"""Codes of invites: made at random, read however people write them, known only by a keyed hash."""

import re
import secrets

from django.conf import settings
from django.utils.crypto import salted_hmac

# Without letters and digits that look alike (0 O, 1 I L, U V): 12 of them hold 58 bits.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 12
# What is longer is no code and is not looked for.
LONGEST_CODE = 32
SALT = "users.invites"


def new_code() -> str:
    """Return a code that nobody can guess."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def read_code(text: str) -> str:
    """Return the code that somebody wrote, or an empty string: in any case, among spaces and punctuation."""
    words = (re.sub(r"[^0-9A-Za-z]", "", word) for word in text[: 4 * LONGEST_CODE].split())
    code = next(filter(None, words), "")
    return code.upper() if len(code) <= LONGEST_CODE else ""


def digest(code: str, key: str | None = None) -> str:
    """Return the keyed hash of a code, 64 hexadecimal characters; key: SECRET_KEY by default."""
    return salted_hmac(SALT, code, secret=key, algorithm="sha256").hexdigest()


def digests(code: str) -> list[str]:
    """Return the hashes of a code under every key that is accepted: SECRET_KEY and SECRET_KEY_FALLBACKS."""
    return [digest(code, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]

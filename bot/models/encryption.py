"""A JSON column whose content is encrypted at rest."""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    # For types only: it costs 7 MB, and the scheduler reads no credentials.
    from cryptography.fernet import MultiFernet


def _key(secret: str) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derived = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"parley.credentials").derive(secret.encode())
    return base64.urlsafe_b64encode(derived)


@lru_cache(maxsize=4)
def _cipher(secrets: tuple[str, ...]) -> MultiFernet:
    from cryptography.fernet import Fernet, MultiFernet

    return MultiFernet([Fernet(_key(secret)) for secret in secrets])


def cipher() -> MultiFernet:
    """Return the cipher of SECRET_KEY, which also decrypts with SECRET_KEY_FALLBACKS."""
    return _cipher((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


class Unreadable(dict[str, str]):
    """Credentials that cannot be decrypted, mostly because of a changed SECRET_KEY. Everything signed is refused.

    Saving the row writes the stored token back: nothing is lost once the former key is a fallback.
    """

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token


class EncryptedJSONField(models.TextField):  # type: ignore[type-arg]
    """A dict of strings, stored as one Fernet token (empty text for an empty dict). It cannot be searched."""

    def get_prep_value(self, value: Any) -> str:
        """Encrypt a dict of strings."""
        if isinstance(value, Unreadable):
            return value.token
        return cipher().encrypt(json.dumps(value).encode()).decode() if value else ""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> dict[str, str]:
        """Decrypt the column; return Unreadable for a token of an unknown key."""
        if not value:
            return {}
        from cryptography.fernet import InvalidToken

        try:
            decrypted = json.loads(cipher().decrypt(value.encode()))
        except (InvalidToken, ValueError):
            return Unreadable(value)
        return decrypted if _is_of_strings(decrypted) else Unreadable(value)

    def value_to_string(self, obj: models.Model) -> str:
        """Return the encrypted form, so that dumpdata writes no secrets."""
        return self.get_prep_value(self.value_from_object(obj))

    def to_python(self, value: Any) -> dict[str, str]:
        """Accept a dict, or the encrypted form that dumpdata wrote."""
        if isinstance(value, str):
            return self.from_db_value(value, None, None)
        return value or {}


def _is_of_strings(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())

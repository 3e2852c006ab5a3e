"""How a chat is named in logs: by a keyed hash, which tells its lines from others' and nothing about the person."""

import hashlib
from functools import lru_cache

from django.conf import settings


def chat_hash(bot: str, address: str) -> str:
    """Return what the lines of a chat (a bot's slug, a person's address) carry as `chat`: 12 hexadecimal characters.

    Without SECRET_KEY nobody can try out numbers until one fits; with another SECRET_KEY it is another hash.
    """
    name = f"{bot}\0{address}".encode(errors="replace")
    return hashlib.blake2b(name, digest_size=6, key=_key(settings.SECRET_KEY)).hexdigest()


@lru_cache(maxsize=2)
def _key(secret: str) -> bytes:
    """Return the key of the hash, which may be at most 64 bytes long."""
    return hashlib.sha512(b"chat in logs\0" + secret.encode()).digest()

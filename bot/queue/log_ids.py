"""How a chat is named in logs: by a keyed hash, which tells its lines from others' and nothing about the person."""

from collections.abc import Callable

from django.conf import settings

from config.logs.redaction import phone_hash


def chat_hash(bot: str, address: str) -> str:
    """Return what the lines of a chat (a bot's slug, a person's address) carry as `chat`.

    Without SECRET_KEY nobody can try out numbers until one fits; with another SECRET_KEY it is another hash.
    """
    return chat_hasher()(bot, address)


def chat_hasher() -> Callable[[str, str], str]:
    """Return chat_hash() for many chats: looking the key up costs as much as hashing."""
    key = settings.SECRET_KEY
    return lambda bot, address: phone_hash(f"{bot}\0{address}", key)

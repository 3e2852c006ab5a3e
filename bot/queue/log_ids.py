"""Keyed hash that names a chat in logs without revealing the person."""

from collections.abc import Callable

from django.conf import settings

from config.logs.redaction import phone_hash


def chat_hash(bot: str, address: str) -> str:
    """Return the hash that log lines carry as `chat`, of a bot's slug and a person's address.

    It is keyed with SECRET_KEY, so that numbers cannot be found by brute force.
    """
    return chat_hasher()(bot, address)


def chat_hasher() -> Callable[[str, str], str]:
    """Return chat_hash() for many chats: looking the key up costs as much as hashing."""
    key = settings.SECRET_KEY
    return lambda bot, address: phone_hash(f"{bot}\0{address}", key)

"""Keyed hash that names a chat in logs without revealing the person."""

from django.conf import settings

from config.logs.redaction import phone_hash


def chat_hash(bot: str, address: str) -> str:
    """Return the hash that log lines carry as `chat`, of a bot's slug and a person's address.

    It is keyed with SECRET_KEY, so that numbers cannot be found by brute force.
    """
    return phone_hash(f"{bot}\0{address}", settings.SECRET_KEY)

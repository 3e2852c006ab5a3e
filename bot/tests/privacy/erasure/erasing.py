"""Erase somebody, and look at what is left."""

from typing import Any

from bot.models import AccessRequest, InboundMessage, Lease, OutboundMessage
from bot.privacy.erasure.erase import erase
from bot.privacy.subjects import subject_of
from users.models import User


def forget(person: User) -> Any:
    return erase(subject_of(person), via="command")


def rows_about_chats() -> list[int]:
    return [model.objects.count() for model in (InboundMessage, OutboundMessage, Lease, AccessRequest)]

"""Post deliveries."""

from typing import Any

from django.urls import reverse

from bot.tests.support.entrances import Entrance
from bot.tests.support.wsgi import Answer


def url(bot: Any) -> str:
    return reverse("webhook", args=(bot.channel, bot.slug))


def post(door: Entrance, bot: Any, body: bytes, signed: str | None = None) -> Answer:
    return door.post(url(bot), body, signed)

"""Try a prompt."""

from typing import Any

from django.test import Client
from django.urls import reverse

from bot.models import Bot


def do(client: Client, what: str, bot: Bot, **data: str) -> Any:
    return client.post(reverse(f"admin:bot_bot_{what}", args=(bot.pk,)), data)

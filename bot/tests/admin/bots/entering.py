"""Fill in the forms of a bot."""

from django.urls import reverse

from bot.models import Bot


def change(bot: Bot, **query: str) -> str:
    return reverse("admin:bot_bot_change", args=(bot.pk,), query=query)

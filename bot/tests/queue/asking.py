"""Ask for access."""

from django.urls import reverse

from bot.models import AccessRequest, Bot
from bot.tests.support.factories import STRANGER, WhatsAppBotFactory


def ask(address: str = STRANGER, name: str = "Dana", bot: Bot | None = None) -> AccessRequest:
    return AccessRequest.objects.create(
        bot=bot or WhatsAppBotFactory.create(), address=address, profile_name=name, messages=1
    )


def button(request: AccessRequest) -> str:
    return reverse("admin:bot_accessrequest_allow", args=(request.pk,))

"""A bot's connection in the admin: its webhook URL, and a button that asks the provider who it is."""

from threading import Lock

from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from bot.admin.widgets import copyable
from bot.models import Bot
from bot.operations.connection_test import try_connection
from config.desk.lists import DeskAdmin

# A test waits for the provider and for the model, half a minute at most, in one of the WEB_THREADS (two at least) that
# other pages need too. One at a time in each process, however often the button is pressed: so others are always free.
_running = Lock()


def ask_provider(page: DeskAdmin, request: HttpRequest, bot: Bot) -> HttpResponse:
    """Test the connection of a bot, as it is stored, and show on its page what came of it."""
    if _running.acquire(blocking=False):
        try:
            _test(page, request, bot)
        finally:
            _running.release()
    else:
        busy = _("Another test is under way: wait some seconds, and test again.")
        page.message_user(request, busy, messages.WARNING)
    return redirect("admin:bot_bot_change", bot.pk)


def _test(page: DeskAdmin, request: HttpRequest, bot: Bot) -> None:
    outcome = try_connection(bot)
    for said in outcome.successes:
        page.message_user(request, said, messages.SUCCESS)
    for problem in outcome.problems:
        page.message_user(request, problem.sentence, messages.ERROR)
    for hint in outcome.hints:
        page.message_user(request, hint, messages.WARNING)


def address_of(bot: Bot) -> str:
    """Return the URL at which a bot's provider delivers."""
    return f"{settings.PUBLIC_URL}{reverse('webhook', args=(bot.channel, bot.slug))}"


@admin.display(description=_("webhook URL"))
def webhook_url(bot: Bot) -> SafeString:
    """Return the URL to enter at the provider, with a button that copies it (shown by the script that can)."""
    return copyable(address_of(bot))

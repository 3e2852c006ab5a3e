"""A bot's connection in the admin: its webhook URL, and a button that asks the provider who it is."""

from threading import Lock

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from bot.admin.widgets import copyable
from bot.models import Bot
from bot.operations.connection_test import try_connection
from config.desk.lists import DeskAdmin

# A test waits for the provider and for the model, half a minute at most, in one of the WEB_THREADS (two at least) that
# other pages need too. One at a time in each process, however often the button is pressed: so others are always free.
_running = Lock()


class ConnectionAdmin(DeskAdmin):
    """The part of the bots' admin that is about their connection."""

    def get_urls(self) -> list[URLPattern]:
        """Add the address that the button posts to."""
        own = self.admin_site.admin_view(require_POST(self.test_view))
        return [path("<int:pk>/test/", own, name="bot_bot_test"), *super().get_urls()]

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Test the connection of one bot, as it is stored, and show on its page what came of it."""
        bot = get_object_or_404(Bot, pk=pk)
        if not self.has_change_permission(request, bot):
            raise PermissionDenied
        if _running.acquire(blocking=False):
            try:
                self._test(request, bot)
            finally:
                _running.release()
        else:
            busy = _("Another test is under way: wait some seconds, and test again.")
            self.message_user(request, busy, messages.WARNING)
        return redirect("admin:bot_bot_change", bot.pk)

    def _test(self, request: HttpRequest, bot: Bot) -> None:
        outcome = try_connection(bot)
        for said in outcome.successes:
            self.message_user(request, said, messages.SUCCESS)
        for problem in outcome.problems:
            self.message_user(request, problem.sentence, messages.ERROR)
        for hint in outcome.hints:
            self.message_user(request, hint, messages.WARNING)

    @admin.display(description=_("webhook URL"))
    def webhook_url(self, bot: Bot) -> SafeString:
        """Return the URL to enter at the provider, with a button that copies it (shown by the script that can)."""
        return copyable(webhook_url(bot))


def webhook_url(bot: Bot) -> str:
    """Return the URL at which a bot's provider delivers."""
    return f"{settings.PUBLIC_URL}{reverse('webhook', args=(bot.channel, bot.slug))}"

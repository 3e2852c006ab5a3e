"""Pause bots by hand, and resume them: from the list, and from a bot's page."""

import logging
from typing import Any, cast

from django.contrib import admin, messages
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bot.admin.bots.connection import ConnectionAdmin
from bot.channels.registry import CHANNELS
from bot.models import Bot
from config.desk.confirming import confirm, is_confirmed
from users.models import User
from users.permissions import Permission, may

logger = logging.getLogger(__name__)

WITHOUT_REASON = gettext_lazy("paused by hand")


class PauseAdmin(ConnectionAdmin):
    """The part of the bots' admin that stops their answers for a while."""

    actions = ("pause", "resume")

    def has_pause_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may pause bots: who may let them go on."""
        return self.has_resume_permission(request)

    def has_resume_permission(self, request: HttpRequest) -> bool:
        """Return whether somebody may let paused bots answer again."""
        return may(cast(User, request.user), Permission.RESUME_BOTS)

    @admin.action(description=gettext_lazy("Pause the selected bots…"), permissions=["pause"])
    def pause(self, request: HttpRequest, queryset: Any) -> TemplateResponse | None:
        """Ask first, and for a reason; then let the bots answer nobody until they are resumed."""
        running = list(queryset.filter(paused_at=None))
        if not is_confirmed(request):
            return self._ask(request, queryset, running)
        reason = " ".join(request.POST.get("reason", "").split()) or str(WITHOUT_REASON)
        paused = queryset.pause_by_hand(reason)
        for bot in running:
            logger.info("bot_paused_by_hand", extra={"bot": bot.slug, "staff": request.user.pk})
            self.log_change(request, bot, _("Paused: %(reason)s") % {"reason": reason})
        said = ngettext(
            "%d bot paused. Messages to it are kept, and answered when it is resumed.",
            "%d bots paused. Messages to them are kept, and answered when they are resumed.",
            paused,
        )
        self.message_user(request, said % paused, messages.SUCCESS)
        return None

    @admin.action(description=gettext_lazy("Resume the selected bots"), permissions=["resume"])
    def resume(self, request: HttpRequest, queryset: Any) -> None:
        """Let paused bots answer again."""
        paused = list(queryset.exclude(paused_at=None))
        resumed = queryset.resume()
        for bot in paused:
            logger.info("bot_resumed", extra={"bot": bot.slug, "staff": request.user.pk})
            self.log_change(request, bot, _("Resumed."))
        self.message_user(request, ngettext("%d bot resumed.", "%d bots resumed.", resumed) % resumed)

    def _ask(self, request: HttpRequest, queryset: Any, running: list[Bot]) -> TemplateResponse:
        explanation = [
            _(
                "A paused bot goes on taking messages in, and answers none: they wait, and are answered in order when "
                "it is resumed. What is being answered this moment is still sent."
            )
        ]
        channels = [CHANNELS.get(bot.channel) for bot in running]
        if any(channel and channel.reply_window for channel in channels):
            explanation.append(
                _("WhatsApp takes answers for 24 hours only: what waits for longer than that is not sent any more.")
            )
        asked = confirm(
            request,
            self,
            queryset,
            action="pause",
            title=_("Pause bots"),
            explanation=" ".join(explanation),
            rows=[f"{bot.name} ({bot.slug})" for bot in running],
            confirm_label=_("Pause"),
            left_out=[_("%(bot)s is paused already") % {"bot": bot} for bot in queryset if bot not in running],
        )
        asked.template_name = "admin/bot/bot/pause.html"
        return asked

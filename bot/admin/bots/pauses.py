"""Pause bots by hand, and resume them: from the list, and from a bot's page."""

import logging
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bot.channels.registry import CHANNELS
from bot.models import Bot
from config.desk.confirming import confirm, is_confirmed
from config.desk.lists import DeskAdmin

logger = logging.getLogger(__name__)

WITHOUT_REASON = gettext_lazy("paused by hand")


@admin.action(description=gettext_lazy("Pause the selected bots…"), permissions=["pause"])
def pause(page: DeskAdmin, request: HttpRequest, queryset: Any) -> TemplateResponse | None:
    """Ask first, and for a reason; then let the bots answer nobody until they are resumed."""
    running = list(queryset.filter(paused_at=None))
    if not is_confirmed(request):
        return _ask(page, request, queryset, running)
    reason = " ".join(request.POST.get("reason", "").split()) or str(WITHOUT_REASON)
    paused = queryset.pause_by_hand(reason)
    for bot in running:
        logger.info("bot_paused_by_hand", extra={"bot": bot.slug, "staff": request.user.pk})
        page.log_change(request, bot, _("Paused: %(reason)s") % {"reason": reason})
    said = ngettext(
        "%d bot paused. Messages to it are kept, and answered when it is resumed.",
        "%d bots paused. Messages to them are kept, and answered when they are resumed.",
        paused,
    )
    page.message_user(request, said % paused, messages.SUCCESS)
    return None


@admin.action(description=gettext_lazy("Resume the selected bots"), permissions=["pause"])
def resume(page: DeskAdmin, request: HttpRequest, queryset: Any) -> None:
    """Let paused bots answer again."""
    paused = list(queryset.exclude(paused_at=None))
    resumed = queryset.resume()
    for bot in paused:
        logger.info("bot_resumed", extra={"bot": bot.slug, "staff": request.user.pk})
        page.log_change(request, bot, _("Resumed."))
    page.message_user(request, ngettext("%d bot resumed.", "%d bots resumed.", resumed) % resumed)


def _ask(page: DeskAdmin, request: HttpRequest, queryset: Any, running: list[Bot]) -> TemplateResponse:
    explanation = _(
        "A paused bot goes on taking messages in, and answers none: they wait, and are answered in order when "
        "it is resumed. What is being answered this moment is still sent."
    )
    channels = {bot.channel for bot in running}
    windows = [channel.reply_window_words for slug, channel in CHANNELS.items() if slug in channels]
    asked = confirm(
        request,
        page,
        queryset,
        action="pause",
        title=_("Pause bots"),
        explanation=" ".join(str(words) for words in (explanation, *windows) if words),
        rows=[f"{bot.name} ({bot.slug})" for bot in running],
        confirm_label=_("Pause"),
        left_out=[_("%(bot)s is paused already") % {"bot": bot} for bot in queryset if bot not in running],
    )
    asked.template_name = "admin/bot/bot/pause.html"
    return asked

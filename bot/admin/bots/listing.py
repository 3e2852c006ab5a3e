"""What the list of bots shows of each: how it stands, what waits, and where to talk to it."""

from collections import Counter

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.admin.bots.connection import address_of
from bot.admin.widgets import chip, copy_button
from bot.channels.registry import CHANNELS
from bot.models import Bot, InboundMessage
from bot.operations.missing import missing_settings
from bot.reasons import cause_of

# However many wait: no more than these are looked at.
MOST_COUNTED = 1_000


def state(bot: Bot) -> tuple[str, str, str]:
    """Return how a bot stands: in a word or two, in which tone (bot/admin/widgets.py), and the reason."""
    if not bot.is_active:
        return _("off"), "", ""
    if bot.channel not in CHANNELS:
        return _("not connected"), "bad", _("its channel “%(channel)s” is not known here") % {"channel": bot.channel}
    if bot.was_refused:
        return (
            _("paused"),
            "bad",
            _("the provider refuses it: %(why)s (%(code)s)")
            % {
                "why": cause_of(bot.pause_reason, bot.channel),
                "code": bot.pause_reason,
            },
        )
    if bot.paused_at:
        return _("paused"), "warn", bot.pause_reason
    missing = missing_settings(bot)
    if missing:
        return _("not connected"), "warn", _("missing: %(what)s") % {"what": ", ".join(missing)}
    return _("active"), "good", ""


def waiting() -> Counter[int]:
    """Return how many messages wait for each bot, by its id; of MOST_COUNTED at most. One query."""
    pending = InboundMessage.objects.filter(state=InboundMessage.State.PENDING).order_by("available_at")
    return Counter(pending.values_list("bot_id", flat=True)[:MOST_COUNTED])


@admin.display(description=gettext_lazy("bot"), ordering="name")
def name_and_slug(bot: Bot) -> SafeString:
    """Return the name, and the slug below it."""
    return format_html('{}<br><span class="desk-quiet">{}</span>', bot.name, bot.slug)


@admin.display(description=gettext_lazy("state"))
def how_it_stands(bot: Bot) -> SafeString:
    """Return the state as a chip, and its reason."""
    word, tone, reason = state(bot)
    shown = chip(word, tone)
    return format_html('{} <span class="desk-quiet">{}</span>', shown, reason) if reason else shown


@admin.display(description=gettext_lazy("messages"))
def inbox(bot: Bot) -> SafeString:
    """Return a link to the bot's messages in the inbox, with how many wait."""
    count = getattr(bot, "waiting", 0)
    url = reverse("admin:bot_inboundmessage_changelist")
    if not count:
        return format_html('<a class="desk-link" href="{}?bot__id__exact={}">{}</a>', url, bot.pk, _("Inbox"))
    query = urlencode({"bot__id__exact": str(bot.pk), "state__exact": str(InboundMessage.State.PENDING)})
    words = _("%(count)s waiting") % {"count": f"{count}+" if count >= MOST_COUNTED else count}
    return format_html('<a class="desk-link" href="{}?{}">{}</a>', url, query, words)


@admin.display(description=gettext_lazy("where people write"))
def talk(bot: Bot) -> SafeString:
    """Return a link to the simulator, or a button that copies the webhook URL (which is too long for a list)."""
    channel = CHANNELS.get(bot.channel)
    if channel is None:
        return format_html("{}", "–")
    if channel.credentials:
        return copy_button(address_of(bot), _("Copy webhook URL"))
    url = f"{reverse('simulator:chat')}?{urlencode({'bot': bot.slug})}"
    return format_html('<a class="desk-link" href="{}">{}</a>', url, _("Open in the simulator"))

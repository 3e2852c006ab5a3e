"""Pause a bot whose token or account its provider refuses, and tell the owners."""

import logging

from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext as _

from bot.models import Bot
from bot.queue.notices import notify_owners
from bot.queue.snapshot import ActiveBot
from bot.reasons import cause_of

logger = logging.getLogger(__name__)


def pause(bot: ActiveBot, error_code: str, *, of_account: bool) -> None:
    """Pause a bot, log it and notify the owners; do nothing if it is paused already, or was saved since it was read.

    error_code: as stored. of_account: the provider refuses the account, not the token.
    """
    if Bot.objects.pause(bot.id, error_code, bot.version):
        logger.error("bot_paused", extra={"bot": bot.slug, "channel": bot.channel.slug, "error_code": error_code})
        text = _lazy_pause_text(bot.slug, bot.channel.slug, error_code if of_account else "")
        notify_owners(f"paused:{bot.slug}:{timezone.now().isoformat()}", text)


def _pause_text(slug: str, channel: str, account_code: str) -> str:
    if account_code:
        return _(
            "The bot %(bot)s has paused: its provider takes nothing from its account, because %(why)s. Messages to it "
            "are kept. Mend that at the provider, then resume the bot in the admin."
        ) % {"bot": slug, "why": cause_of(account_code, channel)}
    return _(
        "The bot %(bot)s has paused: its provider refuses the access token. Messages to it are kept. "
        "Enter a new token in the admin, or resume the bot there."
    ) % {"bot": slug}


# Lazy: translated for each owner, as the notice may be sent by a bot of another language.
_lazy_pause_text = lazy(_pause_text, str)

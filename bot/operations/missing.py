"""Missing settings of a bot's channel."""

from django.utils.translation import gettext as _

from bot.channels.registry import CHANNELS
from bot.models import Bot
from bot.models.encryption import Unreadable


def missing_settings(bot: Bot) -> list[str]:
    """Return the labels of required settings that are missing; none if the channel is unknown."""
    channel = CHANNELS.get(bot.channel)
    if channel is None:
        return []
    if isinstance(bot.credentials, Unreadable):
        return [_("the former SECRET_KEY")]
    labels = [str(channel.account_label)] if channel.account_label and not bot.account_id else []
    return labels + [str(one.label) for one in channel.credentials if not bot.credentials.get(one.name)]

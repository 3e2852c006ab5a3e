"""Every channel by its slug: the one place that knows the concrete adapters."""

from django.utils.functional import Promise

from bot.channels.channel import Channel
from bot.channels.console import ConsoleChannel
from bot.channels.whatsapp import WhatsAppChannel

CHANNELS: dict[str, Channel] = {channel.slug: channel for channel in (WhatsAppChannel(), ConsoleChannel())}


def get_channel(slug: str) -> Channel:
    """Return the channel with this slug.

    Raises:
        LookupError: there is none; the text names those there are.
    """
    try:
        return CHANNELS[slug]
    except KeyError:
        raise LookupError(f"no channel is called {slug!r}; there are: {', '.join(sorted(CHANNELS))}") from None


def choices() -> list[tuple[str, str | Promise]]:
    """Return (slug, label) of every channel, for a form."""
    return [(channel.slug, channel.label) for channel in CHANNELS.values()]

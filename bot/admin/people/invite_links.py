"""What is shared of an invite: for each bot that has such links a link and its QR code, and for all others a text."""

from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from bot.channels.registry import CHANNELS
from bot.models import Bot

# Light around a code, in modules, as the standard wants it: what is next to it on the page may be dark.
QUIET_ZONE = 4


@dataclass(frozen=True, slots=True)
class SharedLink:
    """A link that opens a chat with one bot with the code in it, and the same as a picture."""

    bot: str
    href: str
    picture: SafeString


@dataclass(frozen=True, slots=True)
class Shared:
    """The links, and the text to send to any other bot."""

    links: list[SharedLink]
    text: str


def shared_of(code: str) -> Shared:
    """Return what to share of a code. One query."""
    links = [SharedLink(bot.name, link, qr_code(link)) for bot, link in links_of(code)]
    return Shared(links, f"/join {code}")


def links_of(code: str) -> list[tuple[Bot, str]]:
    """Return a link for each active bot whose channel has such links."""
    found = []
    for bot in Bot.objects.filter(is_active=True).exclude(contact=""):
        channel = CHANNELS.get(bot.channel)
        link = channel.invite_link(bot.contact, code) if channel else None
        if link:
            found.append((bot, link))
    return found


def qr_code(link: str) -> SafeString:
    """Return a link as a QR code: SVG that a page scales, black on whatever is behind it."""
    import segno

    svg = segno.make(link).svg_inline(border=QUIET_ZONE, omitsize=True)
    return mark_safe(svg)  # noqa: S308 (of coordinates alone: the link is in their pattern)

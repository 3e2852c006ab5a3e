"""Write to a bot as a person, the way a webhook would: for the simulator's page and for the terminal."""

import uuid

from django.utils import timezone
from django.utils.translation import gettext as _

from bot.channels.events import TEXT, InboundEvent
from bot.channels.registry import get_channel
from bot.queue import accept
from bot.queue.snapshot import ActiveBot, find_bot, forget
from bot.simulator import queries
from bot.text import clean

CONSOLE = queries.CONSOLE


class BadChoice(ValueError):
    """A bot, person or text that cannot be used. The text says why, and what would be right."""


def max_length() -> int:
    """Return how many characters a message may have: as many as a reply."""
    return get_channel(CONSOLE).max_text_length


def choose_bot(slug: str) -> ActiveBot:
    """Return the active console bot with this slug.

    Raises:
        BadChoice: there is none.
    """
    bot = find_bot(CONSOLE, slug)
    if bot is None:
        # It may have been added a moment ago, after this process last looked.
        forget()
        bot = find_bot(CONSOLE, slug)
    if bot is None:
        known = ", ".join(one.slug for one in queries.bots()) or _("none yet (manage.py bootstrap creates one)")
        raise BadChoice(
            _("No active console bot is called “%(slug)s”. There are: %(known)s.") % {"slug": slug, "known": known}
        )
    return bot


def check_text(text: str) -> str:
    """Return the text as it will be stored, without control characters and surrounding blanks.

    Raises:
        BadChoice: nothing is left of it, or it is longer than a message may be.
    """
    text = clean(text).strip()
    if not text:
        raise BadChoice(_("The message is empty."))
    most = max_length()
    if len(text) > most:
        raise BadChoice(
            _("The message has %(length)d characters; at most %(most)d are allowed.")
            % {"length": len(text), "most": most}
        )
    return text


def write(bot: ActiveBot, address: str, text: str, visitor: int | None = None) -> InboundEvent:
    """Store a checked text as a message from that phone number; when this returns, it is committed.

    visitor: the id of the member of staff who writes it, in the simulator.
    """
    event = InboundEvent(
        external_id=f"console-{uuid.uuid4()}", address=address, kind=TEXT, text=text, sent_at=timezone.now()
    )
    accept.accept(bot, [event], visitor=visitor)
    return event

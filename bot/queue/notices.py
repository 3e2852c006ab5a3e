"""Notices: messages from a bot that answer nothing, about budgets, pauses, linked addresses or files not sent.

A notice is an inbox row that nobody wrote: it is claimed, stored, sent and recovered like any reply, in the order of
its chat, and the inbox's unique constraint keeps it from being sent twice.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise

from bot.channels.registry import CHANNELS
from bot.language import use_language
from bot.models import Bot, InboundMessage, Lease, NewInbound
from bot.queue.snapshot import ActiveBot
from bot.queue.turn_message import TurnMessage
from users.models import Pair, User
from users.phone import spellings
from users.roles import Role

logger = logging.getLogger(__name__)

Origin = InboundMessage.Origin


def notify_owners(key: str, text: str | Promise) -> int:
    """Send a notice to each owner, in the chat the owner used last; return to how many.

    key: names the occasion (200 characters at most); an owner gets one notice per key. text: a lazy string is
    translated for each owner, into the language of the sending bot. An owner without a chat whose reply window is open
    gets none: the log has it.
    """
    owners = User.objects.filter(role=Role.OWNER).prefetch_related("identities")
    notified = sum(_notify(owner, key, text) for owner in owners)
    logger.info("owners_notified", extra={"key": key, "owners": notified})
    return notified


def notify_person(
    person: User, key: str, text: str | Promise, *, apart_from: Pair | None = None, also: Iterable[str] = ()
) -> int:
    """Send a notice to a person in each chat with an open reply window, once per key; return to how many.

    apart_from: the channel and address that the notice is about, which gets none. also: the person's former numbers.
    """
    bots = _bots()
    chats = (chat for chat in _open_chats(person, bots, also) if not _is(chat, bots, apart_from))
    told = sum(_tell(f"{Origin.NOTICE}:{person.pk}:{key}:{chat.pk}", text, chat, bots) for chat in chats)
    logger.info("person_notified", extra={"key": key, "person": person.pk, "chats": told})
    return told


def _bots() -> dict[int, Bot]:
    running = Bot.objects.for_people().filter(is_active=True, paused_at=None)
    return {bot.pk: bot for bot in running if bot.channel in CHANNELS}


def _is(chat: InboundMessage, bots: dict[int, Bot], pair: Pair | None) -> bool:
    if pair is None:
        return False
    channel, address = pair
    return bots[chat.bot_id].channel == channel and chat.address in spellings(address)


def _notify(owner: User, key: str, text: str | Promise) -> bool:
    external_id, bots = f"{Origin.NOTICE}:{owner.pk}:{key}", _bots()
    if InboundMessage.objects.filter(bot__in=Bot.objects.all(), external_id=external_id).exists():
        return False
    latest = max(_open_chats(owner, bots), key=lambda message: message.pk, default=None)
    return latest is not None and _tell(external_id, text, latest, bots)


def notify_chat(bot: ActiveBot, latest: TurnMessage, address: str, key: str, text: str | Promise) -> bool:
    """Send a notice in one chat, after the turn of its latest message, once per key; return whether it will be sent."""
    told = _store(f"{Origin.NOTICE}:{key}", text, bot.id, bot.language, address, latest.sent_at)
    logger.info("chat_notified", extra={"key": key, "bot": bot.slug})
    return told


def _tell(external_id: str, text: str | Promise, latest: InboundMessage, bots: dict[int, Bot]) -> bool:
    """Store a notice in the chat of a person's latest message."""
    language = bots[latest.bot_id].language
    return _store(external_id, text, latest.bot_id, language, latest.address, latest.sent_at)


def _store(
    external_id: str, text: str | Promise, bot_id: int, language: str, address: str, sent_at: datetime | None
) -> bool:
    now = timezone.now()
    with use_language(language):
        said = str(text)
    notice = NewInbound(
        bot_id=bot_id,
        external_id=external_id,
        address=address,
        kind=Origin.NOTICE,
        origin=Origin.NOTICE,
        payload={"notice": said},
        # The time of the person's latest message, from which the reply window counts.
        sent_at=sent_at,
        received_at=now,
        available_at=now,
    )
    return bool(InboundMessage.objects.store([notice]))


def _open_chats(person: User, bots: dict[int, Bot], also: Iterable[str] = ()) -> Iterator[InboundMessage]:
    """Yield a person's latest message of each chat whose reply window is open."""
    numbers = [*([person.phone_number] if person.phone_number else []), *also]
    named = Q(address__in=[text for number in numbers for text in spellings(number)])
    for identity in person.identities.all():
        named |= Q(address=identity.address, bot__channel=identity.channel)
    # Leases list the chats of the last days and have an index by address; the inbox has none.
    for bot_id, address in Lease.objects.filter(named, bot__in=bots).values_list("bot_id", "address"):
        written = InboundMessage.objects.filter(bot=bot_id, address=address).exclude(origin=Origin.NOTICE)
        latest = written.order_by("-pk").first()
        window = CHANNELS[bots[bot_id].channel].reply_window
        if latest and not (window and latest.sent_at and timezone.now() - latest.sent_at > window):
            yield latest

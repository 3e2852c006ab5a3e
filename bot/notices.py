"""Messages to the owners that answer nothing: a budget is used up, a bot has paused.

A notice is a row of the inbox that nobody wrote. So it is claimed, stored, sent and recovered like any reply, in the
order of its chat, and the inbox's unique constraint keeps it from being sent twice.
"""

import logging
from collections.abc import Iterator

from django.db.models import Q
from django.utils import timezone
from django.utils.functional import Promise

from bot.channels.registry import get_channel
from bot.language import speaking
from bot.managers import NewInbound
from bot.models import Bot, InboundMessage, Lease
from users.managers import spellings
from users.models import User
from users.roles import Role

logger = logging.getLogger(__name__)

KIND = "notice"


def notify_owners(key: str, text: str | Promise) -> int:
    """Let the bots write to each owner, in the chat the owner used last; return to how many.

    key: names the occasion (200 characters at most); an owner gets a notice of one key once. text: a lazy one is put
    into words for each owner, in the language of the bot that writes to them. An owner who has not
    written to any bot for a week, or to none that may still answer (WhatsApp: 24 hours), gets none: the log has it.
    """
    owners = User.objects.filter(role=Role.OWNER).prefetch_related("identities")
    notified = sum(_notify(owner, key, text) for owner in owners)
    logger.info("owners_notified", extra={"key": key, "owners": notified})
    return notified


def _notify(owner: User, key: str, text: str | Promise) -> bool:
    external_id = f"{KIND}:{owner.pk}:{key}"
    bots = {bot.pk: bot for bot in Bot.objects.for_people().filter(is_active=True, paused_at=None)}
    if InboundMessage.objects.filter(bot__in=Bot.objects.all(), external_id=external_id).exists():
        return False
    now = timezone.now()
    latest = max(_open_chats(owner, bots), key=lambda message: message.pk, default=None)
    if latest is None:
        return False
    with speaking(bots[latest.bot_id].language):
        said = str(text)
    notice = NewInbound(
        bot_id=latest.bot_id,
        external_id=external_id,
        address=latest.address,
        kind=KIND,
        # What makes it a notice: no webhook can write this key, while a provider may call a kind of message anything.
        payload={"notice": said},
        # The person's own last message: it is what a channel's window is counted from.
        sent_at=latest.sent_at,
        received_at=now,
        available_at=now,
    )
    return bool(InboundMessage.objects.all().store([notice]))


def _open_chats(owner: User, bots: dict[int, Bot]) -> Iterator[InboundMessage]:
    """Yield the owner's last message of each chat in which a bot may write to them now."""
    named = Q(address__in=spellings(owner.phone_number)) if owner.phone_number else Q(pk=None)
    for identity in owner.identities.all():
        named |= Q(address=identity.address, bot__channel=identity.channel)
    # Leases are the chats of the last days, found by an index; the inbox has none by address.
    for bot_id, address in Lease.objects.filter(named, bot__in=bots).values_list("bot_id", "address"):
        written = InboundMessage.objects.filter(bot=bot_id, address=address).exclude(kind=KIND)
        latest = written.order_by("-pk").first()
        window = get_channel(bots[bot_id].channel).reply_window
        if latest and not (window and latest.sent_at and timezone.now() - latest.sent_at > window):
            yield latest

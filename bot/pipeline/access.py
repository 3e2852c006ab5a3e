"""Who may talk to the bot: whitelisted people. Anybody else costs one bounded row and one polite reply a day."""

import logging
from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from bot.errors import SENTENCES, ErrorCode
from bot.models import AccessRequest
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from users.models import User

logger = logging.getLogger(__name__)

TOLD_AGAIN_AFTER = timedelta(days=1)


async def access(turn: Turn, services: Services) -> None:
    """Let whitelisted people pass; end the turn of anybody else, with one polite reply a day or silently."""
    if turn.user and not turn.other_address_known:
        await services.database.run(remember_addresses, turn)
    if turn.user and turn.user.is_whitelisted:
        return
    logger.info("access_refused", extra={"turn_id": turn.key, "bot": turn.bot.slug})
    if await services.database.run(register_stranger, turn):
        turn.end(str(SENTENCES[ErrorCode.UNAUTHORIZED]), error_code=ErrorCode.UNAUTHORIZED)
    else:
        turn.forget_messages = True
        turn.end(error_code=ErrorCode.UNAUTHORIZED)


def register_stranger(turn: Turn) -> bool:
    """Note that somebody asks for access, and return whether to tell them so now."""
    now = timezone.now()
    name = next((message.profile_name for message in turn.messages if message.profile_name), "")
    request, _ = AccessRequest.objects.get_or_create(bot_id=turn.bot.id, address=turn.address)
    tell = turn.bot.tells_strangers and (request.told_at is None or now - request.told_at > TOLD_AGAIN_AFTER)
    AccessRequest.objects.filter(pk=request.pk).update(
        messages=F("messages") + len(turn.messages),
        profile_name=name[:100] or request.profile_name,
        last_seen_at=now,
        told_at=now if tell else request.told_at,
    )
    return tell


def remember_addresses(turn: Turn) -> None:
    """Link the other address a message of a known person carries, so that it is recognised when it comes alone."""
    if turn.user is None:
        return
    for message in turn.messages:
        if message.other_address:
            try:
                User.objects.link_identity(turn.user, turn.bot.channel.slug, message.other_address)
            except ValueError:
                # It belongs to somebody else: staff decide, the message is answered all the same.
                logger.warning("identity_conflict", extra={"turn_id": turn.key, "bot": turn.bot.slug})

"""Who may talk to the bot: whitelisted people. Anybody else costs one bounded row and one polite reply a day.

Who sends the code of an invite is let in here, before the refusal; and what everybody may ask is answered.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from bot.errors import SENTENCES, ErrorCode
from bot.models import AccessRequest, Lease
from bot.pipeline.addresses import remember_addresses
from bot.pipeline.commands.joining import OUTCOME_SENTENCES, code_in, try_code
from bot.pipeline.services import Services
from bot.pipeline.stages.commands import commands_for_everybody
from bot.pipeline.turn import Turn
from users.invites import Outcome

logger = logging.getLogger(__name__)

TOLD_AGAIN_AFTER = timedelta(days=1)


async def access(turn: Turn, services: Services) -> None:
    """Let whitelisted people pass; end the turn of anybody else, with one polite reply a day or silently."""
    if turn.user and not turn.other_address_known:
        await services.database.run(remember_addresses, turn, turn.user)
    if turn.user and turn.user.is_whitelisted:
        return
    if not turn.in_doubt:
        await commands_for_everybody(turn, services)
    if turn.ended:
        return
    code, sentence = None if turn.in_doubt else code_in(turn), SENTENCES[ErrorCode.UNAUTHORIZED]
    if code is not None:
        outcome = await try_code(turn, services, code)
        sentence = OUTCOME_SENTENCES[outcome]
        if outcome in (Outcome.JOINED, Outcome.ALREADY_IN):
            turn.end(str(sentence))
            return
    logger.info("access_refused")
    if await services.database.run(register_stranger, turn):
        turn.end(str(sentence), error_code=ErrorCode.UNAUTHORIZED)
    else:
        turn.forget_messages = True
        turn.end(error_code=ErrorCode.UNAUTHORIZED)


@transaction.atomic
def register_stranger(turn: Turn) -> bool:
    """Note that somebody asks for access, and return whether to tell them so now.

    Raises:
        LeaseLost: the chat is not this turn's any more: its person may have been erased.
    """
    Lease.objects.lock_own_or_raise(turn.lease)
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

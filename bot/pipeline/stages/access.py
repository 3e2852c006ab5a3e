"""Access control: whitelisted people pass; anybody else costs one bounded row and one polite reply a day."""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from bot.errors import SENTENCES, ErrorCode
from bot.models import AccessRequest, Lease
from bot.pipeline.addresses import remember_addresses
from bot.pipeline.commands.start import OUTCOME_SENTENCES, code_in, try_code
from bot.pipeline.result import After
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from users.invites import Outcome

logger = logging.getLogger(__name__)

TOLD_AGAIN_AFTER = timedelta(days=1)


async def access(turn: Turn, services: Services) -> None:
    """Link the second address of a known person's message; the runner decides who is let in."""
    if turn.user and not turn.other_address_known:
        await services.database.run(remember_addresses, turn, turn.user)


async def join_by_code(turn: Turn, services: Services) -> None:
    """Let in the sender of a valid invite code; tell the sender of another code that it is not valid."""
    code = code_in(turn)
    if code is None or turn.in_doubt:
        return
    outcome = await try_code(turn, services, code)
    sentence = str(OUTCOME_SENTENCES[outcome])
    if outcome in (Outcome.JOINED, Outcome.ALREADY_IN):
        turn.end(sentence)
    else:
        await _refuse(turn, services, sentence)


async def ask_for_access(turn: Turn, services: Services) -> None:
    """End the turn of a person who is not let in, with one polite reply a day or silently."""
    await _refuse(turn, services, str(SENTENCES[ErrorCode.UNAUTHORIZED]))


async def _refuse(turn: Turn, services: Services, sentence: str) -> None:
    logger.info("access_refused")
    if await services.database.run(register_stranger, turn):
        turn.end(sentence, error_code=ErrorCode.UNAUTHORIZED)
    else:
        turn.result.after = After.DELETE_MESSAGES
        turn.end(error_code=ErrorCode.UNAUTHORIZED)


@transaction.atomic
def register_stranger(turn: Turn) -> bool:
    """Store an access request, and return whether to reply now.

    Raises:
        LeaseLost: another worker has the chat, or its person was erased.
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

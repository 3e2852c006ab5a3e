"""Attempt limits per address: for codes, and for commands that are for everybody."""

from django.utils.crypto import salted_hmac

from bot.pipeline.services import Services
from bot.pipeline.turn import Turn

TRIES = 5
TRIES_MINUTES = 60
# A longer window for outsiders, who cost the operator sends and uploads and cannot be asked to stop.
OUTSIDER_MINUTES = 24 * 60
OUTSIDER_ASKS = 1
# A mistyped code and the right one.
OUTSIDER_CODES = 2


async def may_try(turn: Turn, services: Services, what: str) -> bool:
    """Count an attempt of this chat's address and return whether it is within TRIES in an hour."""
    return await _hit(turn, services, what, TRIES, TRIES_MINUTES)


async def may_ask(turn: Turn, services: Services, command: str, *, with_code: bool) -> bool:
    """Count a command that is for everybody, and return whether it is within the limit.

    Members may give each a few times an hour; anybody else once a day, and send a code for it twice.
    """
    if turn.is_of_member:
        return await may_try(turn, services, f"command:{command}")
    what, most = (f"outsider-code:{command}", OUTSIDER_CODES) if with_code else (f"outsider:{command}", OUTSIDER_ASKS)
    return await _hit(turn, services, what, most, OUTSIDER_MINUTES)


async def _hit(turn: Turn, services: Services, what: str, most: int, minutes: int) -> bool:
    if turn.attempts > 1:  # a retried turn was counted the first time
        return True
    # Hashed, so that Redis holds no numbers.
    address = salted_hmac("bot.pipeline.tries", f"{turn.bot.channel.slug}:{turn.address}").hexdigest()
    return await services.limiter.hit(f"{what}:{address}", most, minutes=minutes)

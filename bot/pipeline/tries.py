"""What an address may do a few times an hour, whoever it belongs to: try a code, ask what is held about it."""

from django.utils.crypto import salted_hmac

from bot.pipeline.services import Services
from bot.pipeline.turn import Turn

TRIES = 5
TRIES_MINUTES = 60


async def may_try(turn: Turn, services: Services, what: str) -> bool:
    """Count a try of this chat's address and return whether it is within TRIES in an hour."""
    if turn.attempts > 1:  # a turn that is tried again was counted the first time
        return True
    # Hashed: what counts tries need not know numbers.
    address = salted_hmac("bot.pipeline.tries", f"{turn.bot.channel.slug}:{turn.address}").hexdigest()
    return await services.limiter.hit(f"{what}:{address}", TRIES, minutes=TRIES_MINUTES)

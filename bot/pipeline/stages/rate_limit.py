"""The stage that keeps people within their messages a minute."""

from bot.errors import AppError, ErrorCode
from bot.pipeline.limiter import limit_of
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn


async def rate_limit(turn: Turn, services: Services) -> None:
    """Let a person pass who is within the limit; tell them once how long to wait, then stay silent until that is over.

    Raises:
        AppError: RATE_LIMIT_EXCEEDED.
    """
    if turn.user is None or turn.attempts > 1:  # a turn that is tried again was counted the first time
        return
    limit, count = limit_of(turn.user, turn.bot), len(turn.messages)
    key = f"messages:{limit.key}"
    if await services.limiter.hit(key, limit.per_minute, cost=count):
        return
    # More at once than a whole minute has room for: there is nothing to compute a time from.
    wait = await services.limiter.wait(key, limit.per_minute) if count <= limit.per_minute else None
    # Who was told is noted under the wait's name, so that the note ends with the wait, in Redis and in memory alike.
    if not await services.limiter.hit(f"told:{limit.key}:{wait.name if wait else 'burst'}", 1):
        turn.end(error_code=ErrorCode.RATE_LIMIT_EXCEEDED)
        return
    raise AppError(
        ErrorCode.RATE_LIMIT_EXCEEDED,
        context={"per_minute": limit.per_minute},
        params={"seconds": wait.seconds} if wait else None,
    )

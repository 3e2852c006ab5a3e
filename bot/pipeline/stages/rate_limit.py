"""Rate limit stage: messages per minute of a person."""

from bot.errors import AppError, ErrorCode
from bot.pipeline.limiter import limit_of
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn


async def rate_limit(turn: Turn, services: Services) -> None:
    """Pass turns within the person's limit; beyond it reply once how long to wait, then end turns silently.

    Raises:
        AppError: RATE_LIMIT_EXCEEDED.
    """
    if turn.user is None or turn.attempts > 1:  # a retried turn was counted the first time
        return
    limit, count = limit_of(turn.user, turn.bot), len(turn.messages)
    key = f"messages:{limit.key}"
    if await services.limiter.hit(key, limit.per_minute, cost=count):
        return
    # A turn with more messages than a whole minute allows has no waiting time.
    wait = await services.limiter.wait(key, limit.per_minute) if count <= limit.per_minute else None
    # The reply is counted under the wait's name, so that silence ends with the wait, in Redis and in memory alike.
    if not await services.limiter.hit(f"told:{limit.key}:{wait.name if wait else 'burst'}", 1):
        turn.end(error_code=ErrorCode.RATE_LIMIT_EXCEEDED)
        return
    raise AppError(
        ErrorCode.RATE_LIMIT_EXCEEDED,
        context={"per_minute": limit.per_minute},
        params={"seconds": wait.seconds} if wait else None,
    )

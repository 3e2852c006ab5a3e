"""How many messages a person may send in a minute: counted for all workers in Redis, else in this process."""

import logging
import time
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from bot.errors import AppError, ErrorCode
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn

logger = logging.getLogger(__name__)

REDIS_TIMEOUT_SECONDS = 0.5
# A Redis that failed is left alone for so long, so that one that hangs does not cost every message a time-out.
LEFT_ALONE_SECONDS = 5.0
SWEEP_SECONDS = 60.0


class QuietMemoryStorage(MemoryStorage):
    """The library's storage in memory, sweeping out what has expired once a minute.

    It would sweep after every hit, with a hop to a thread for every person it knows.
    """

    swept_at = 0.0

    async def _MemoryStorage__schedule_expiry(self) -> None:  # noqa: N802 (overrides a private method)
        if time.monotonic() - self.swept_at > SWEEP_SECONDS:
            self.swept_at = time.monotonic()
            await super()._MemoryStorage__schedule_expiry()  # type: ignore[misc]


class Limiter:
    """Sliding windows, of a minute by default. When Redis fails, this process counts for itself until Redis is back."""

    def __init__(self, redis_url: str | None) -> None:
        self._local = MovingWindowRateLimiter(QuietMemoryStorage())
        self._shared: MovingWindowRateLimiter | None = None
        self._redis: RedisStorage | None = None
        self._down = False
        self._ask_again_at = 0.0
        if redis_url:
            # (limits wants its own scheme in front of the URL.)
            parts = urlsplit(redis_url)
            self._redis = RedisStorage(
                urlunsplit(parts._replace(scheme=f"async+{parts.scheme}")),
                implementation="redispy",
                key_prefix="parley:limits",
                socket_timeout=REDIS_TIMEOUT_SECONDS,
                socket_connect_timeout=REDIS_TIMEOUT_SECONDS,
            )
            self._shared = MovingWindowRateLimiter(self._redis)

    async def hit(self, key: str, most: int, cost: int = 1, *, minutes: int = 1) -> bool:
        """Count `cost` messages of key and return whether they are within the limit: so many in so many minutes."""
        item = RateLimitItemPerMinute(most, minutes)
        if self._shared is not None and self._claim():
            probe = self._down
            try:
                allowed = await self._shared.hit(item, key, cost=cost)
            except Exception as error:  # the library passes on whatever its client raises
                self._lost(error)
            else:
                if probe:
                    self._back()
                return allowed
        return await self._local.hit(item, key, cost=cost)

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            await self._redis.bridge.storage.aclose()  # type: ignore[attr-defined]

    def _claim(self) -> bool:
        """Return whether to ask Redis: always while it is well, else one message at a time, now and then."""
        now = time.monotonic()
        if self._down and now < self._ask_again_at:
            return False
        self._ask_again_at = now + LEFT_ALONE_SECONDS
        return True

    def _lost(self, error: Exception) -> None:
        if not self._down:
            logger.error("rate_limit_store_lost", extra={"error": type(error).__name__})
        self._down = True
        self._ask_again_at = time.monotonic() + LEFT_ALONE_SECONDS

    def _back(self) -> None:
        if self._down:
            logger.info("rate_limit_store_back")
        self._down = False


async def rate_limit(turn: Turn, services: Services) -> None:
    """Let a person pass who is within the limit; tell them once a minute that they are not, then stay silent.

    Raises:
        AppError: RATE_LIMIT_EXCEEDED.
    """
    if turn.user is None or turn.attempts > 1:  # a turn that is tried again was counted the first time
        return
    per_minute = settings.RATE_LIMIT_PER_USER
    if await services.limiter.hit(f"messages:{turn.user.pk}", per_minute, cost=len(turn.messages)):
        return
    if not await services.limiter.hit(f"told:{turn.user.pk}", 1):
        turn.end(error_code=ErrorCode.RATE_LIMIT_EXCEEDED)
        return
    raise AppError(ErrorCode.RATE_LIMIT_EXCEEDED, context={"per_minute": per_minute})

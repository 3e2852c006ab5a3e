"""Rate limiter with moving windows, shared by all workers in Redis, or in this process's memory without it."""

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings

from bot.pipeline.moving_window import MovingWindows
from bot.queue.snapshot import ActiveBot
from config.shared_store import TIMEOUT_SECONDS, SharedStore
from users.models import User
from users.roles import Role

if TYPE_CHECKING:
    from limits import RateLimitItemPerMinute
    from limits.aio.strategies import MovingWindowRateLimiter

Answer = TypeVar("Answer")

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of messages per minute, and the key under which they are counted."""

    key: str
    per_minute: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds until a message fits. `name` changes with the window's free capacity (used to deduplicate notices)."""

    seconds: int
    name: str


class Limiter:
    """Moving windows, of a minute by default. While Redis is down, this process counts in memory."""

    def __init__(self, redis_url: str | None) -> None:
        self._local = MovingWindows()
        self._shared = _shared_windows(redis_url) if redis_url else None
        self._store = SharedStore("messages")

    async def hit(self, key: str, most: int, cost: int = 1, *, minutes: int = 1) -> bool:
        """Count `cost` messages of key and return whether they are within the limit of `most` in so many minutes."""
        return await self._ask(
            lambda shared: shared.hit(_item(most, minutes), key, cost=cost),
            lambda: self._local.hit(key, most, minutes, cost),
        )

    async def wait(self, key: str, per_minute: int) -> Wait:
        """Return the wait until one message of key is within the limit: 1 to 60 seconds."""
        reset_at, room = await self._ask(
            lambda shared: shared.get_window_stats(_item(per_minute), key),
            lambda: self._local.stats(key, per_minute, 1),
        )
        # Redis truncates times to 0.1 ms; another machine's clock may differ from ours.
        seconds = 0 if room > 0 else math.ceil(round(reset_at - time.time(), 3))
        return Wait(min(max(seconds, 1), WINDOW_SECONDS), f"{reset_at:.3f}/{room}")

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._shared is not None:
            await self._shared.storage.bridge.storage.aclose()  # type: ignore[attr-defined]

    async def _ask(
        self, shared: Callable[["MovingWindowRateLimiter"], Awaitable[Answer]], local: Callable[[], Answer]
    ) -> Answer:
        if self._shared is not None and self._store.may_be_asked():
            with self._store.trying():
                return await shared(self._shared)
        return local()


def _shared_windows(redis_url: str) -> "MovingWindowRateLimiter":
    # Late import: the library is needed only with Redis.
    from limits.aio.storage import RedisStorage
    from limits.aio.strategies import MovingWindowRateLimiter

    parts = urlsplit(redis_url)
    storage = RedisStorage(
        urlunsplit(parts._replace(scheme=f"async+{parts.scheme}")),  # the library's own scheme
        implementation="redispy",
        key_prefix="parley:limits",
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
    return MovingWindowRateLimiter(storage)


def _item(most: int, minutes: int = 1) -> "RateLimitItemPerMinute":
    from limits import RateLimitItemPerMinute

    return RateLimitItemPerMinute(most, minutes)


def limit_of(user: User, bot: ActiveBot) -> Limit:
    """Return the limit of a person with a bot: their role's, else the bot's, else everybody's.

    A bot with its own limit is counted separately; messages to all other bots count together.
    """
    by_role = {str(Role.OWNER): settings.RATE_LIMIT_PER_OWNER, str(Role.ADMIN): settings.RATE_LIMIT_PER_ADMIN}
    if (of_role := by_role.get(user.role)) is not None:
        return Limit(str(user.pk), of_role)
    if bot.rate_limit_per_minute is not None:
        return Limit(f"{user.pk}:{bot.id}", bot.rate_limit_per_minute)
    return Limit(str(user.pk), settings.RATE_LIMIT_PER_USER)

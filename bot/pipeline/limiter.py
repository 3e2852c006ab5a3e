"""How many messages a person may send in a minute: counted for all workers in Redis, else in this process."""

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from bot.queue.snapshot import ActiveBot
from config.shared_store import TIMEOUT_SECONDS, SharedStore
from users.models import User
from users.roles import Role

Answer = TypeVar("Answer")

WINDOW_SECONDS = 60

SWEEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Limit:
    """How many messages a minute somebody may send, and under which key they are counted."""

    key: str
    per_minute: int


@dataclass(frozen=True, slots=True)
class Wait:
    """How many seconds until there is room for a message. The name is another one as soon as the room is another."""

    seconds: int
    name: str


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
        self._store = SharedStore("messages")
        if redis_url:
            # (limits wants its own scheme in front of the URL.)
            parts = urlsplit(redis_url)
            self._redis = RedisStorage(
                urlunsplit(parts._replace(scheme=f"async+{parts.scheme}")),
                implementation="redispy",
                key_prefix="parley:limits",
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
            )
            self._shared = MovingWindowRateLimiter(self._redis)

    async def hit(self, key: str, most: int, cost: int = 1, *, minutes: int = 1) -> bool:
        """Count `cost` messages of key and return whether they are within the limit: so many in so many minutes."""
        item = RateLimitItemPerMinute(most, minutes)
        return await self._ask(lambda window: window.hit(item, key, cost=cost))

    async def wait(self, key: str, per_minute: int) -> Wait:
        """Return how long key has to wait until one message is within the limit: 1 to 60 seconds."""
        item = RateLimitItemPerMinute(per_minute)
        reset_at, room = await self._ask(lambda window: window.get_window_stats(item, key))
        # (Redis cuts times to a ten-thousandth of a second; and another machine's clock may differ from ours.)
        seconds = 0 if room > 0 else math.ceil(round(reset_at - time.time(), 3))
        return Wait(min(max(seconds, 1), WINDOW_SECONDS), f"{reset_at:.3f}/{room}")

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._redis is not None:
            await self._redis.bridge.storage.aclose()  # type: ignore[attr-defined]

    async def _ask(self, question: Callable[[MovingWindowRateLimiter], Awaitable[Answer]]) -> Answer:
        if self._shared is not None and self._store.may_be_asked():
            tried_while_down = self._store.is_down
            try:
                answer = await question(self._shared)
            except Exception as error:  # the library passes on whatever its client raises
                self._store.failed(error)
            else:
                if tried_while_down:
                    self._store.answered()
                return answer
        return await question(self._local)


def limit_of(user: User, bot: ActiveBot) -> Limit:
    """Return the limit of a person with a bot: their role's, else the bot's, else everybody's.

    A bot that has its own limit counts for itself; otherwise the messages to all bots count together.
    """
    by_role = {str(Role.OWNER): settings.RATE_LIMIT_PER_OWNER, str(Role.ADMIN): settings.RATE_LIMIT_PER_ADMIN}
    if (of_role := by_role.get(user.role)) is not None:
        return Limit(str(user.pk), of_role)
    if bot.rate_limit_per_minute is not None:
        return Limit(f"{user.pk}:{bot.id}", bot.rate_limit_per_minute)
    return Limit(str(user.pk), settings.RATE_LIMIT_PER_USER)

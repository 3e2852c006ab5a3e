"""Whether the model's server answers: it is asked once a minute, by one of all processes that share a Redis."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from config.egress import through

if TYPE_CHECKING:
    import redis.asyncio

MODEL_SECONDS = 1.2
# For the note in Redis, both ways. A Redis that hangs may cost no more: the model is asked all the same then.
NOTE_SECONDS = 0.3
# A probe every few seconds must not become traffic at the model's provider.
RESULT_SECONDS = 60.0
# Who has noted that it asks, and died, is waited for no longer.
ASKING_SECONDS = 3
NOTE = "parley:health:model"
ASKING, REACHABLE, UNREACHABLE = b"asking", b"reachable", b"unreachable"


@dataclass(slots=True)
class Latest:
    """What this process knows: the latest result, and when (by time.monotonic) it came."""

    reachable: bool | None = None
    at: float = 0.0

    @property
    def is_fresh(self) -> bool:
        """Whether there is a result that need not be asked for again."""
        return self.reachable is not None and time.monotonic() - self.at < RESULT_SECONDS

    def learn(self, reachable: bool, seconds_old: float = 0.0) -> bool:
        """Keep a result, and return it."""
        self.reachable, self.at = reachable, time.monotonic() - seconds_old
        return reachable


latest = Latest()


async def is_reachable() -> bool:
    """Return whether the model's server answers, as far as it is known; ask it if nobody has within a minute.

    One caller of a process at a time (views.py sees to it). While another process asks, what was known before
    counts; when nothing was, it is taken not to answer.
    """
    if latest.is_fresh:
        return bool(latest.reachable)
    note = Note()
    try:
        known, seconds_old = await note.read_or_claim()
        if known == ASKING:
            return bool(latest.reachable)
        if known is not None:
            return latest.learn(known == REACHABLE, seconds_old)
        reachable = latest.learn(await ask())
        await note.write(REACHABLE if reachable else UNREACHABLE)
        return reachable
    finally:
        await note.close()


class Note:
    """What the processes tell each other in Redis. Without one, or one that does not answer, each is alone."""

    def __init__(self) -> None:
        self._client: redis.asyncio.Redis | None = None
        if settings.REDIS_URL:
            self._client = one_try(settings.REDIS_URL, NOTE_SECONDS)

    async def read_or_claim(self) -> tuple[bytes | None, float]:
        """Return what another process has noted and how old it is in seconds; (None, 0.0) when it is for us to ask."""
        if self._client is None:
            return None, 0.0
        try:
            async with asyncio.timeout(NOTE_SECONDS):
                if await self._client.set(NOTE, ASKING, nx=True, ex=ASKING_SECONDS):
                    return None, 0.0
                known = bytes(await self._client.get(NOTE) or b"") or None  # type: ignore[arg-type]
                left = await self._client.pttl(NOTE) / 1_000
        except Exception:  # a Redis that is away is told by its own check
            await self.close()
            return None, 0.0
        return known, max(RESULT_SECONDS - left, 0.0)

    async def write(self, result: bytes) -> None:
        """Tell the others."""
        if self._client is None:
            return
        try:
            async with asyncio.timeout(NOTE_SECONDS / 3):
                await self._client.set(NOTE, result, ex=int(RESULT_SECONDS))
        except Exception:  # then they ask for themselves
            await self.close()

    async def close(self) -> None:
        """Hang up; what is asked afterwards is not answered."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def one_try(url: str, seconds: float) -> redis.asyncio.Redis:
    """Return a client of Redis that waits so long for each step, and tries nothing twice."""
    import redis.asyncio
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    return redis.asyncio.Redis.from_url(
        url, socket_timeout=seconds, socket_connect_timeout=seconds, retry=Retry(NoBackoff(), 0)
    )


async def ask() -> bool:
    """Return whether the model's server answers and accepts the key.

    Compatible servers need not list models: any answer but a refusal and a server error will do.
    """
    import aiohttp

    headers = {"Authorization": f"Bearer {settings.OPENAI_API_KEY}"} if settings.OPENAI_API_KEY else {}
    timeout = aiohttp.ClientTimeout(total=MODEL_SECONDS)
    url = f"{settings.OPENAI_BASE_URL}/models"
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.get(url, allow_redirects=False, **through(url)) as response,
        ):
            return response.status < 500 and response.status not in {401, 403}
    except (aiohttp.ClientError, OSError, ValueError):  # a time-out is an OSError
        return False

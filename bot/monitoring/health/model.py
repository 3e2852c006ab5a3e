"""Health check of the model's server, requested once a minute by one of all processes that share a Redis."""

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
# Timeout for the shared result in Redis; after it the server is asked all the same.
NOTE_SECONDS = 0.3
# Frequent probes must not become traffic at the model's provider.
RESULT_SECONDS = 60.0
# Expiry of the claim to ask, for a process that crashed meanwhile.
ASKING_SECONDS = 3
NOTE = "parley:health:model"
ASKING, REACHABLE, UNREACHABLE = b"asking", b"reachable", b"unreachable"


@dataclass(slots=True)
class Latest:
    """The latest result that this process knows, and its time (time.monotonic)."""

    reachable: bool | None = None
    at: float = 0.0

    @property
    def is_fresh(self) -> bool:
        """Whether there is a result that has not expired."""
        return self.reachable is not None and time.monotonic() - self.at < RESULT_SECONDS

    def learn(self, reachable: bool, seconds_old: float = 0.0) -> bool:
        """Cache a result, and return it."""
        self.reachable, self.at = reachable, time.monotonic() - seconds_old
        return reachable


latest = Latest()


async def is_reachable() -> bool:
    """Return whether the model's server answers, from the cached result or by asking it, once a minute.

    One caller per process at a time, which views.py ensures. While another process asks, the previous result counts;
    without one the server counts as not answering.
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
    """The result shared between processes in Redis. Without a Redis that answers each process is on its own."""

    def __init__(self) -> None:
        self._client: redis.asyncio.Redis | None = None
        if settings.REDIS_URL:
            self._client = one_try(settings.REDIS_URL, NOTE_SECONDS)

    async def read_or_claim(self) -> tuple[bytes | None, float]:
        """Return another process's result and its age in seconds, or (None, 0.0) if this process is to ask."""
        if self._client is None:
            return None, 0.0
        try:
            async with asyncio.timeout(NOTE_SECONDS):
                if await self._client.set(NOTE, ASKING, nx=True, ex=ASKING_SECONDS):
                    return None, 0.0
                known = bytes(await self._client.get(NOTE) or b"") or None  # type: ignore[arg-type]
                left = await self._client.pttl(NOTE) / 1_000
        except Exception:  # Redis has a check of its own
            await self.close()
            return None, 0.0
        return known, max(RESULT_SECONDS - left, 0.0)

    async def write(self, result: bytes) -> None:
        """Share a result with other processes."""
        if self._client is None:
            return
        try:
            async with asyncio.timeout(NOTE_SECONDS / 3):
                await self._client.set(NOTE, result, ex=int(RESULT_SECONDS))
        except Exception:  # then they ask the server themselves
            await self.close()

    async def close(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def one_try(url: str, seconds: float) -> redis.asyncio.Redis:
    """Return a Redis client with a timeout for each step and no retries."""
    import redis.asyncio
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    return redis.asyncio.Redis.from_url(
        url, socket_timeout=seconds, socket_connect_timeout=seconds, retry=Retry(NoBackoff(), 0)
    )


async def ask() -> bool:
    """Return whether the model's server answers and accepts the key.

    Compatible servers need not list models: any answer except a refusal or a server error counts.
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
    except (aiohttp.ClientError, OSError, ValueError):  # a timeout is an OSError
        return False

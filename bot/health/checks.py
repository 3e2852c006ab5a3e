"""What Parley depends on, each as a check that gives up by itself."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

import psycopg
import redis.asyncio
from django.conf import settings
from django.db import connection
from django.utils import timezone
from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.health.model import MODEL_SECONDS, NOTE_SECONDS, is_reachable
from bot.system import STATEMENT, System, ask_system, parameters, read_system

STORE_SECONDS = 1.0
# What Django adds to the parameters for its own connections.
DJANGO_PARAMETERS = ("cursor_factory", "context", "prepare_threshold")


@dataclass
class Check(HealthCheck):
    """A dependency: `name` is its name in the answer; `run()` raises ServiceUnavailable, or returns."""

    name: ClassVar[str]
    # The library waits one second more than this before it gives up on a check that did not give up by itself.
    timeout = timedelta(seconds=MODEL_SECONDS + NOTE_SECONDS - 0.8)

    @property
    def is_configured(self) -> bool:
        """Return whether this installation has the dependency at all."""
        return True


@dataclass
class Database(Check):
    """Ask the database for one row, and then how the system does; without an answer to that, `system` is None."""

    name = "db"
    system: System | None = field(default=None, repr=False)

    async def run(self) -> None:
        """Ask over a new connection: one that exists already can hang for minutes when the server does."""
        now = timezone.now()
        answered = False
        try:
            async with asyncio.timeout(STORE_SECONDS):
                if connection.vendor == "postgresql":
                    async with await connect(connection.get_connection_params()) as server:
                        await server.execute("SELECT 1")
                        answered = True
                        self.system = await ask_postgresql(server, now)
                else:
                    await asyncio.to_thread(ask_local_database)
                    answered = True
                    self.system = await asyncio.to_thread(ask_local_system, now)
        except Exception:  # whatever it is, the database does not answer
            if not answered:
                raise ServiceUnavailable("no answer") from None


async def connect(parameters: dict[str, Any]) -> "psycopg.AsyncConnection[Any]":
    """Connect to PostgreSQL; parameters are Django's."""
    own = {name: value for name, value in parameters.items() if name not in DJANGO_PARAMETERS}
    return await psycopg.AsyncConnection.connect(**own, autocommit=True)


async def ask_postgresql(server: "psycopg.AsyncConnection[Any]", now: datetime) -> System:
    """Ask for the numbers."""
    row = await (await server.execute(STATEMENT, parameters(now))).fetchone()
    return read_system(row or (), now)


def ask_local_database() -> None:
    """Read the database's file: SELECT 1 would not touch it."""
    with connection.temporary_connection() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master LIMIT 1")


def ask_local_system(now: datetime) -> System:
    """Ask for the numbers."""
    with connection.temporary_connection():
        return ask_system(now)


@dataclass
class Redis(Check):
    """Ping Redis."""

    name = "redis"

    @property
    def is_configured(self) -> bool:
        """Return whether there is a Redis: without one, everything it does happens in each process."""
        return bool(settings.REDIS_URL)

    async def run(self) -> None:
        """Ping over a new connection, once."""
        client = redis.asyncio.Redis.from_url(
            str(settings.REDIS_URL),
            socket_timeout=STORE_SECONDS,
            socket_connect_timeout=STORE_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            async with asyncio.timeout(STORE_SECONDS), client:
                await client.ping()
        except Exception:  # whatever it is, Redis does not answer
            raise ServiceUnavailable("no answer") from None


@dataclass
class Model(Check):
    """Ask the model's server for its models, at most once a minute."""

    name = "openai"

    @property
    def is_configured(self) -> bool:
        """Return whether a model is asked at all."""
        return str(settings.LLM_PROVIDER) == "openai"

    async def run(self) -> None:
        """Ask, unless there is a recent result."""
        if not await is_reachable():
            raise ServiceUnavailable("no answer")


CHECKS: tuple[type[Check], ...] = (Database, Redis, Model)

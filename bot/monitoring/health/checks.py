"""Checks of dependencies, each with a timeout of its own."""

from __future__ import annotations

import asyncio
import importlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import connection
from django.utils import timezone
from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable

from bot.monitoring.health.model import MODEL_SECONDS, NOTE_SECONDS, is_reachable, one_try
from bot.monitoring.system import STATEMENT, System, ask_system, parameters, read_system

if TYPE_CHECKING:
    import psycopg

STORE_SECONDS = 1.0
# Parameters that Django adds for its own connections.
DJANGO_PARAMETERS = ("cursor_factory", "context", "prepare_threshold")


@dataclass
class Check(HealthCheck):
    """A dependency. `name`: its name in the answer. `run()` raises ServiceUnavailable, or returns.

    `needs`: modules to import before it runs. `system`: the state of the system, if run() has read it.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    system: System | None = field(default=None, repr=False, init=False)
    # The library adds one second before it abandons a check that missed its own timeout.
    timeout = timedelta(seconds=MODEL_SECONDS + NOTE_SECONDS - 0.8)

    @property
    def is_configured(self) -> bool:
        """Return whether this installation has the dependency."""
        return True

    def load(self) -> None:
        """Import what run() needs, before its timeouts begin."""
        for module in self.needs:
            importlib.import_module(module)


@dataclass
class Database(Check):
    """Query the database for one row, then for the state of the system; `system` is None if that fails."""

    name = "db"

    async def run(self) -> None:
        """Query over a new connection, because an existing one can hang for minutes with the server."""
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
        except Exception:  # any error: the database does not answer
            if not answered:
                raise ServiceUnavailable("no answer") from None


async def connect(parameters: dict[str, Any]) -> psycopg.AsyncConnection[Any]:
    """Connect to PostgreSQL with Django's parameters."""
    import psycopg

    own = {name: value for name, value in parameters.items() if name not in DJANGO_PARAMETERS}
    return await psycopg.AsyncConnection.connect(**own, autocommit=True)


async def ask_postgresql(server: psycopg.AsyncConnection[Any], now: datetime) -> System:
    """Ask for the numbers."""
    row = await (await server.execute(STATEMENT, parameters(now))).fetchone()
    return read_system(row or (), now)


def ask_local_database() -> None:
    """Read the database's file, which SELECT 1 would not touch."""
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
    needs = ("redis.asyncio",)

    @property
    def is_configured(self) -> bool:
        """Return whether there is a Redis; without one each process uses its own memory."""
        return bool(settings.REDIS_URL)

    async def run(self) -> None:
        """Ping over a new connection, once."""
        client = one_try(str(settings.REDIS_URL), STORE_SECONDS)
        try:
            async with asyncio.timeout(STORE_SECONDS), client:
                await client.ping()
        except Exception:  # any error: Redis does not answer
            raise ServiceUnavailable("no answer") from None


@dataclass
class Model(Check):
    """Request the model server's list of models, at most once a minute."""

    name = "openai"
    needs = ("aiohttp",)

    @property
    def is_configured(self) -> bool:
        """Return whether a model's server is in use."""
        return str(settings.LLM_PROVIDER) == "openai"

    async def run(self) -> None:
        """Send the request unless there is a recent result."""
        if not await is_reachable():
            raise ServiceUnavailable("no answer")


CHECKS: tuple[type[Check], ...] = (Database, Redis, Model)

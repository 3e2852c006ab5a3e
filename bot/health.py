"""Liveness and readiness: /healthz says that this process answers, /readyz whether what it depends on does.

Every check gives up by itself, so /readyz answers within two seconds whatever hangs. Answers name the checks and
nothing else: no address, no error text.
"""

import asyncio
import logging
import threading
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import aiohttp
import psycopg
import redis.asyncio
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable
from health_check.views import HealthCheckView
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

logger = logging.getLogger(__name__)

STORE_SECONDS = 1.0
MODEL_SECONDS = 1.5
# A probe every few seconds must not become traffic at the model's provider.
MODEL_RESULT_SECONDS = 60.0
# What Django adds to the parameters for its own connections.
DJANGO_PARAMETERS = ("cursor_factory", "context", "prepare_threshold")


@dataclass
class Check(HealthCheck):
    """A dependency: `name` is its name in the answer; `run()` raises ServiceUnavailable, or returns."""

    name: ClassVar[str]
    # The library waits one second more than this before it gives up on a check that did not give up by itself.
    timeout = timedelta(seconds=MODEL_SECONDS - 0.8)

    @property
    def is_configured(self) -> bool:
        """Return whether this installation has the dependency at all."""
        return True


@dataclass
class Database(Check):
    """Ask the database for one row."""

    name = "db"

    async def run(self) -> None:
        """Ask over a new connection: one that exists already can hang for minutes when the server does."""
        try:
            async with asyncio.timeout(STORE_SECONDS):
                if connection.vendor == "postgresql":
                    await ask_postgresql(connection.get_connection_params())
                else:
                    await asyncio.to_thread(ask_local_database)
        except Exception:  # whatever it is, the database does not answer
            raise ServiceUnavailable("no answer") from None


async def ask_postgresql(parameters: dict[str, Any]) -> None:
    """Run SELECT 1 over a connection of its own; parameters are Django's."""
    own = {name: value for name, value in parameters.items() if name not in DJANGO_PARAMETERS}
    async with await psycopg.AsyncConnection.connect(**own, autocommit=True) as server:
        await server.execute("SELECT 1")


def ask_local_database() -> None:
    """Read the database's file: SELECT 1 would not touch it."""
    with connection.temporary_connection() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master LIMIT 1")


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


class LatestResult:
    """What the model's server answered last, and when: shared by the threads of a process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reachable: bool | None = None
        self.asked_at = 0.0

    def claim(self) -> bool:
        """Return whether the caller is to ask now; while it does, the others use the result before."""
        with self.lock:
            fresh = time.monotonic() - self.asked_at < MODEL_RESULT_SECONDS
            if self.reachable is not None and fresh:
                return False
            self.asked_at = time.monotonic()
            return True


latest_model_result = LatestResult()


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
        if latest_model_result.claim():
            latest_model_result.reachable = await model_is_reachable()
        if not latest_model_result.reachable:
            raise ServiceUnavailable("no answer")


async def model_is_reachable() -> bool:
    """Return whether the model's server answers and accepts the key.

    Compatible servers need not list models: any answer but a refusal and a server error will do.
    """
    headers = {"Authorization": f"Bearer {settings.OPENAI_API_KEY}"} if settings.OPENAI_API_KEY else {}
    timeout = aiohttp.ClientTimeout(total=MODEL_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.get(f"{settings.OPENAI_BASE_URL}/models", allow_redirects=False) as response,
        ):
            return response.status < 500 and response.status not in {401, 403}
    except (aiohttp.ClientError, OSError, ValueError):  # a time-out is an OSError
        return False


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer that this process serves requests. It asks nobody: a dependency that is down is no reason to restart."""
    return JsonResponse({"status": "ok"})


class Readiness(HealthCheckView):
    """Answer 200 when every configured dependency answers, 503 otherwise, as JSON whatever the client accepts."""

    checks = (Database, Redis, Model)
    reported: ClassVar[list[str]] = []

    async def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:
        """Run the checks side by side."""
        checks: list[Check] = list(self.get_checks())
        states = {check.name: "skipped" for check in checks}
        configured = [check for check in checks if check.is_configured]
        for result in await asyncio.gather(*(check.get_result() for check in configured)):
            states[result.check.name] = "error" if result.error else "ok"
        failed = [name for name, state in states.items() if state == "error"]
        report_change(failed)
        status = "unready" if failed else "ready"
        response = JsonResponse({"status": status, "checks": states}, status=503 if failed else 200)
        # Django would log each 503 as an error, and so send a report to Sentry every few seconds.
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response


def report_change(failed: list[str]) -> None:
    """Log what is not ready when that changes: probes ask every few seconds."""
    if failed == Readiness.reported:
        return
    Readiness.reported = failed
    logger.log(logging.WARNING if failed else logging.INFO, "readiness_changed", extra={"failed": failed})


readyz = Readiness.as_view()

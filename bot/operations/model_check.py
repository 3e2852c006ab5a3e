"""Model server requests for operators: list its models, and test whether one answers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings

from bot.ai.standing import Refusal, error_of, json_of, refusal_of
from config.egress import through

if TYPE_CHECKING:
    from bot.pipeline.result import ModelCall

Result = TypeVar("Result")

LIST_SECONDS = 5.0
ANSWER_SECONDS = 8.0
# The minimum that reasoning models accept: only the acceptance of the call matters, not the answer.
ANSWER_TOKENS = 16
LONGEST_LIST = 5_000_000
# How long before a model's shutdown operators are warned.
WARNED_DAYS = 60


@dataclass(frozen=True, slots=True)
class ModelList:
    """The answer to GET /models. models: {id: its shutdown date, or None}; empty if it lists none.

    refusal: its refusal, if any. reachable: whether it answered.
    """

    models: Mapping[str, date | None] = field(default_factory=dict)
    refusal: Refusal | None = None
    reachable: bool = True

    def ending(self, names: Iterable[str], today: date) -> Iterator[tuple[str, date]]:
        """Yield (name, date) of these models that end within WARNED_DAYS or should have ended."""
        for name in names:
            end = self.models.get(name)
            if end is not None and (end - today).days <= WARNED_DAYS:
                yield name, end


def list_models() -> ModelList:
    """Request the server's list of models. Takes LIST_SECONDS at most; not for an event loop."""
    return run_in_own_loop(_list())


def ask_model(name: str, effort: str) -> ModelCall:
    """Ask a model for one word and return the call, which costs up to 16 output tokens. Not for an event loop.

    Raises:
        AppError: it does not answer; context: the refusal, as for any call.
    """
    # Late import, like the model: 44 MB that only this button needs.
    from bot.ai import create_model
    from bot.ai.base import ChatMessage, CompletionRequest, EmptyCompletion
    from bot.pipeline.result import ModelCall

    request = CompletionRequest(name, (ChatMessage("user", "Say yes."),), ANSWER_TOKENS, ANSWER_SECONDS, effort=effort)

    async def ask() -> ModelCall:
        model = create_model(settings.LLM_PROVIDER)
        try:
            return ModelCall(name, await model.complete(request))
        except EmptyCompletion as empty:  # accepted and billed: all tokens were used for reasoning
            return ModelCall(name, empty.completion)
        finally:
            await model.close()

    return run_in_own_loop(ask())


def run_in_own_loop(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in an event loop of its own.

    Not asyncio.run(), which waits for its threads: one of them may hang in a DNS lookup.
    """
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


async def _list() -> ModelList:
    import aiohttp

    headers = {"Authorization": f"Bearer {settings.OPENAI_API_KEY}"} if settings.OPENAI_API_KEY else {}
    timeout, url = aiohttp.ClientTimeout(total=LIST_SECONDS), f"{settings.OPENAI_BASE_URL}/models"
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers, cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.get(url, allow_redirects=False, **through(url)) as response,
        ):
            raw = await response.content.read(LONGEST_LIST)
    except (aiohttp.ClientError, OSError, ValueError):  # a timeout is an OSError
        return ModelList(reachable=False)
    return read_list(response.status, raw)


def read_list(status: int, raw: bytes) -> ModelList:
    """Parse an answer to GET /models, which compatible servers need not have: a 404 is no refusal."""
    if status >= 500:
        return ModelList(reachable=False)
    if status >= 300:
        refusal = refusal_of(status, error_of(raw))
        return ModelList(refusal=refusal if refusal in {Refusal.KEY, Refusal.MONEY} else None)
    body = json_of(raw)
    rows = body.get("data") if isinstance(body, dict) else None
    found = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("id"), str):
            found[row["id"]] = read_day(row.get("shutdown_date"))
    return ModelList(found)


def read_day(value: Any) -> date | None:
    """Parse a date from an ISO 8601 date or time, or a Unix time; None for anything else."""
    try:
        if isinstance(value, str):
            return date.fromisoformat(value[:10])
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return datetime.fromtimestamp(value, UTC).date()
    except (ValueError, OverflowError, OSError):
        pass
    return None

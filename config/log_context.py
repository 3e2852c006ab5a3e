"""What every log line of a block carries: ids that are bound in a thread or an asyncio task. Standard library only."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_bound: ContextVar[dict[str, Any]] = ContextVar("bound_log_ids", default={})  # noqa: B039 (never modified in place)


@contextmanager
def bind(**ids: Any) -> Iterator[None]:
    """Add ids (turn_id, bot, worker, request_id, …) to every line that is logged inside the block."""
    token = _bound.set({**_bound.get(), **ids})
    try:
        yield
    finally:
        _bound.reset(token)


def bind_here(**ids: Any) -> None:
    """Add ids to every line of this task or thread from now on: for who has a context of their own."""
    _bound.set({**_bound.get(), **ids})


def bound_ids() -> dict[str, Any]:
    """Return the ids that are bound here and now. Do not modify it."""
    return _bound.get()


def current_request_id() -> str:
    """Return the id of the request that is being answered, empty outside of one."""
    return str(_bound.get().get("request_id", ""))

"""Log context of a thread or asyncio task: ids added to every line, and texts to mask. Standard library only."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any


class Bound:
    """Ids (turn_id, bot, worker, request_id, …) and hidden texts. `shown`: a cache of the ids as lines show them."""

    __slots__ = ("hidden", "ids", "shown")

    def __init__(self, ids: dict[str, Any], hidden: tuple[str, ...]) -> None:
        self.ids, self.hidden = ids, hidden
        self.shown: dict[str, Any] | None = None


_bound: ContextVar[Bound] = ContextVar("bound_to_log_lines", default=Bound({}, ()))  # noqa: B039 (never modified)


def bind(**ids: Any) -> AbstractContextManager[None]:
    """Add ids to every line logged inside the block."""
    return adding(ids)


@contextmanager
def adding(ids: dict[str, Any], hidden: tuple[str, ...] = ()) -> Iterator[None]:
    """Add ids and hidden texts inside the block."""
    outer = _bound.get()
    add(ids, hidden)
    try:
        yield
    finally:
        _bound.set(outer)


def add(ids: dict[str, Any], hidden: tuple[str, ...] = ()) -> None:
    """Add ids and hidden texts until the calling task or thread ends, which must be the caller's own."""
    outer = _bound.get()
    _bound.set(Bound({**outer.ids, **ids}, outer.hidden + hidden))


def bound() -> Bound:
    """Return the current context. Only its `shown` may be modified."""
    return _bound.get()


def is_anything_bound() -> bool:
    """Return whether ids or hidden texts are bound here and now."""
    here = _bound.get()
    return bool(here.ids or here.hidden)


def bound_ids() -> dict[str, Any]:
    """Return the ids of the current context. Do not modify it."""
    return _bound.get().ids


def current_request_id() -> str:
    """Return the id of the current request, empty outside of one."""
    return str(_bound.get().ids.get("request_id", ""))

"""A front within the test's own process: requests and answers as granian's, and a database thread that is the test's.

So a test sees what is stored inside its own transaction, and nothing waits.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager, nullcontext
from contextvars import Context
from typing import Any, TypeVar
from unittest.mock import patch

from django.db import DEFAULT_DB_ALIAS, connections

from bot.front.application import Front
from bot.front.protocol import Pairs
from bot.front.room import Room
from bot.tests.front.granian import FakeConnection, FakeScope
from config.db import database_thread

Result = TypeVar("Result")


class Inline(Executor):
    """A thread that is none: its work is done at once, with the connection of the test, which nobody may close."""

    def __init__(self, **_: Any) -> None:
        pass

    def submit(self, function: Callable[..., Result], /, *arguments: Any, **named: Any) -> "Future[Result]":
        """Do it."""
        done: Future[Result] = Future()
        # Where an event loop runs Django has other connections than those of the thread, and refuses to use them.
        loop = asyncio.events._get_running_loop()
        asyncio.events._set_running_loop(None)
        try:
            with patch.object(connections[DEFAULT_DB_ALIAS], "close"):
                done.set_result(function(*arguments, **named))
        except Exception as error:
            done.set_exception(error)
        finally:
            asyncio.events._set_running_loop(loop)
        return done


class Caller:
    """A front, and an event loop that runs while it is asked."""

    def __init__(self, *, inline: bool = True) -> None:
        self._runner = asyncio.Runner()
        self._inline = inline
        self._front: Front | None = None

    @property
    def front(self) -> Front:
        """Return the front; it begins with the first request, when a test has made its bots."""
        if self._front is None:
            self._front = Front()
            with patch.object(database_thread, "ThreadPoolExecutor", Inline) if self._inline else nullcontext():
                self.run(self._front.begin())
        return self._front

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Return what work returns; what it binds to log lines is bound no more then."""
        try:
            return self._runner.run(work, context=Context())
        finally:
            if self._front is not None:
                self._front.intake.note_stored()

    def together(self, work: Callable[[Front], Coroutine[Any, Any, Result]]) -> Result:
        """Return what work(front) returns: several requests at once."""
        return self.run(work(self.front))

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | FakeConnection = b"",
        headers: Mapping[str, str] | Pairs = (),  # type: ignore[assignment]
        client: str = "127.0.0.1:50000",
    ) -> FakeConnection:
        """Return the connection with the answer to one request; bytes are a body with its Content-Length."""
        return self.run(asking(self.front, method, target, body, headers, client))

    def rooms(self) -> dict[str, Room]:
        """Return where requests hold something, by what it is."""
        front = self.front
        return {"deliveries": front.deliveries._room, "uploads": front.uploads, "answers": front.pages.answers}

    def held(self) -> dict[str, tuple[int, int]]:
        """Return how many requests hold how many bytes, of each room that is not empty."""
        if self._front is None:
            return {}
        return {of: (len(room._under_way), room.used) for of, room in self.rooms().items() if not is_empty(room)}

    def settle(self) -> None:
        """Let what was begun go on until nothing of it can."""
        self.run(settling())

    def forget(self) -> None:
        """Take it that a test has ended the front itself."""
        self._front = None

    def close(self) -> None:
        """End the front."""
        if self._front is not None:
            self.run(self._front.close())
        self._runner.close()


def is_empty(room: Room) -> bool:
    """Return whether nothing is held of a room."""
    return not (room.used or room._under_way or room._large)


async def asking(
    front: Front,
    method: str,
    target: str,
    body: bytes | FakeConnection = b"",
    headers: Mapping[str, str] | Pairs = (),  # type: ignore[assignment]
    client: str = "127.0.0.1:50000",
) -> FakeConnection:
    """Return the connection with the answer, for several requests at once."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    if isinstance(body, bytes):
        given = FakeConnection(body)
        if (body or method == "POST") and "content-length" not in {name.lower() for name, _ in pairs}:
            pairs.append(("content-length", str(len(body))))
    else:
        given = body
    await front.__rsgi__(FakeScope(method, target, pairs, client), given)
    return given


async def settling() -> None:
    """Return when every task has done what it can without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)


@contextmanager
def calling(*, inline: bool = True) -> Iterator[Caller]:
    """Yield a way to call a front; inline: its database thread is the test's own."""
    caller = Caller(inline=inline)
    try:
        yield caller
    finally:
        caller.close()

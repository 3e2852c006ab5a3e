"""A front within the test's own process: requests and answers as granian's, and a database thread that is the test's.

So a test sees what is stored inside its own transaction, and nothing waits.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager, nullcontext
from contextvars import Context
from typing import Any, TypeVar
from unittest.mock import patch

from django.db import DEFAULT_DB_ALIAS, connections

from bot import batching
from bot.front.application import Front
from bot.front.protocol import Pairs

Result = TypeVar("Result")

STRANGER = "203.0.113.9:40000"


class FakeHeaders:
    """The headers of a request as granian gives them: names in lower case, and no value that is not ASCII."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = [(name.lower(), value) for name, value in pairs if is_visible(value)]

    def get(self, name: str, /) -> str | None:
        """Return a header's first value."""
        return next((value for known, value in self.pairs if known == name.lower()), None)

    def items(self) -> Pairs:
        """Return every header."""
        return self.pairs


def is_visible(value: str) -> bool:
    """Return whether granian gives a header of this value to an application (hyper's HeaderValue.to_str)."""
    return all(character == "\t" or " " <= character <= "~" for character in value)


class FakeScope:
    """A request's head; a Content-Length is among the headers when they say so."""

    proto, http_version, scheme, authority = "http", "1.1", "http", "localhost"

    def __init__(self, method: str, target: str, headers: Pairs, client: str = "127.0.0.1:50000") -> None:
        self.method, self.client = method, client
        self.path, _, self.query_string = target.partition("?")
        self.headers = FakeHeaders(headers)


class FakeStream:
    """An answer in pieces."""

    def __init__(self, connection: "FakeConnection") -> None:
        self._connection = connection

    async def send_bytes(self, data: bytes, /) -> None:
        """Keep a piece; RuntimeError when the client is gone, as granian's."""
        if self._connection.gone:
            raise RuntimeError("connection closed")
        self._connection.pieces.append(data)


class FakeConnection:
    """A request's body, in pieces, and what was answered.

    silent: nothing comes after the pieces. breaks: the connection ends there. gone: nobody takes the answer. slow: the
    client never has all of it.
    """

    def __init__(self, *pieces: bytes, silent: bool = False, breaks: bool = False) -> None:
        self.body, self.silent, self.breaks = pieces, silent, breaks
        self.gone = self.slow = False
        self.status, self.read = 0, 0
        self.headers: Pairs = []
        self.pieces: list[bytes] = []
        self.streamed = False

    async def __call__(self) -> bytes:
        """Return the whole body."""
        return b"".join([piece async for piece in self])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives."""
        for piece in self.body:
            self.read += len(piece)
            yield piece
            await asyncio.sleep(0)
        if self.breaks:
            raise RuntimeError("connection closed")
        if self.silent:
            await asyncio.Event().wait()

    async def client_disconnect(self) -> None:
        """Return when the client has taken it all."""
        if self.slow:
            await asyncio.Event().wait()

    def response_bytes(self, status: int, headers: Pairs, body: bytes, /) -> None:
        """Keep a whole answer."""
        self._begin(status, headers)
        self.pieces.append(body)

    def response_stream(self, status: int, headers: Pairs, /) -> FakeStream:
        """Keep an answer in pieces."""
        self._begin(status, headers)
        self.streamed = True
        return FakeStream(self)

    def _begin(self, status: int, headers: Pairs) -> None:
        assert not self.status, "it is answered twice"
        self.status, self.headers = status, headers
        assert all(name == name.lower() for name, _ in headers), "granian wants names in lower case"

    @property
    def content(self) -> bytes:
        """Return what was answered."""
        return b"".join(self.pieces)

    def header(self, name: str) -> list[str]:
        """Return every value of a header of the answer."""
        return [value for known, value in self.headers if known == name]


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
            with patch.object(batching, "ThreadPoolExecutor", Inline) if self._inline else nullcontext():
                self.run(self._front.begin())
        return self._front

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Return what work returns; what it binds to log lines is bound no more then."""
        return self._runner.run(work, context=Context())

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

"""Requests and answers as granian's RSGI has them, made up."""

import asyncio
from collections.abc import AsyncIterator

from bot.front.protocol import Headers, Pairs

STRANGER = "203.0.113.9:40000"


class FakeHeaders:
    """The headers of a request as granian gives them: every name in lower case, and no value that is not ASCII."""

    def __init__(self, pairs: Pairs) -> None:
        self.names = list(dict.fromkeys(name.lower() for name, _ in pairs))
        self.pairs = [(name.lower(), value) for name, value in pairs if is_visible(value)]

    def get(self, name: str, /) -> str | None:
        """Return a header's first value."""
        return next((value for known, value in self.pairs if known == name.lower()), None)

    def keys(self) -> list[str]:
        """Return every header's name once."""
        return self.names

    def items(self) -> Pairs:
        """Return every header that can be read."""
        return self.pairs


def is_visible(value: str) -> bool:
    """Return whether granian gives a header of this value to an application (hyper's HeaderValue.to_str)."""
    return all(character == "\t" or " " <= character <= "~" for character in value)


class FakeScope:
    """A request's head; a Content-Length is among the headers when they say so."""

    proto, http_version, scheme = "http", "1.1", "http"
    authority: str | None = "localhost"

    def __init__(self, method: str, target: str, headers: Pairs, client: str = "127.0.0.1:50000") -> None:
        self.method, self.client = method, client
        self.path, _, self.query_string = target.partition("?")
        self.headers: Headers = FakeHeaders(headers)


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
        self.body, self.silent, self.breaks = [piece for piece in pieces if piece], silent, breaks
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

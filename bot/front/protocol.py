"""What the front uses of granian's RSGI: https://github.com/emmett-framework/granian/blob/master/docs/spec/RSGI.md."""

from collections.abc import AsyncIterator
from typing import Protocol

Pairs = list[tuple[str, str]]
UNREADABLE = "?"


class Headers(Protocol):
    """A request's headers: names are case-insensitive."""

    def get(self, name: str, /) -> str | None:
        """Return a header's first value, or None."""

    def keys(self) -> list[str]:
        """Return every header's name once, in lower case."""

    def items(self) -> Pairs:
        """Return every header whose value is ASCII, with names in lower case."""


class Scope(Protocol):
    """A request's head. path is decoded, query_string is not; client: address and port of the other end."""

    proto: str
    http_version: str
    client: str
    scheme: str
    method: str
    path: str
    query_string: str
    authority: str | None

    @property
    def headers(self) -> Headers:
        """Return the headers."""


class Stream(Protocol):
    """An answer that is sent in pieces. A piece waits in memory until the client takes it."""

    async def send_bytes(self, data: bytes, /) -> None:
        """Send a piece."""


class Connection(Protocol):
    """A request's body, and the way to its answer (granian's HTTPProtocol)."""

    async def __call__(self) -> bytes:
        """Return the whole body."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives."""

    async def client_disconnect(self) -> None:
        """Return when the client has taken the whole of a streamed answer, or is gone."""

    def response_bytes(self, status: int, headers: Pairs, body: bytes, /) -> None:
        """Answer at once."""

    def response_stream(self, status: int, headers: Pairs, /) -> Stream:
        """Begin an answer in pieces."""


def pairs_of(headers: Headers) -> Pairs:
    """Return every header; a value that cannot be read is UNREADABLE.

    Without it a client could make a header of its proxy vanish, by a byte in the part that the proxy only adds to.
    """
    pairs = headers.items()
    readable = {name for name, _ in pairs}
    return [*pairs, *((name, UNREADABLE) for name in headers.keys() if name not in readable)]  # noqa: SIM118

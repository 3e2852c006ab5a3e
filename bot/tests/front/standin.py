"""A stand-in for the pages' process: a real server on a Unix socket that answers as a test says."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

Handler = Callable[["Asked", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: its first line, its headers with their names as sent, its body."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for known, value in self.headers if known.lower() == name]


class PagesStandIn:
    """Answers each request with `answer`, a whole HTTP answer as bytes, or lets a handler write it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.asked: list[Asked] = []
        self.answer: bytes | Handler = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nHi"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection until the other end closes it."""
        try:
            while head := await _head(reader):
                line, *rest = head.decode("latin-1").split("\r\n")[:-2]
                headers = [(name, value.strip()) for name, _, value in (one.partition(":") for one in rest)]
                length = int(next((value for name, value in headers if name.lower() == "content-length"), "0"))
                asked = Asked(line, headers, await reader.readexactly(length))
                self.asked.append(asked)
                if callable(self.answer):
                    await self.answer(asked, writer)
                else:
                    writer.write(self.answer)
                    await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


@asynccontextmanager
async def pages_stand_in(path: str | None = None) -> AsyncIterator[PagesStandIn]:
    """Yield a stand-in that listens."""
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:  # (a socket's address is short)
        stand_in = PagesStandIn(path or str(Path(folder) / "pages"))
        server = await asyncio.start_unix_server(stand_in.serve, stand_in.path)
        try:
            yield stand_in
        finally:
            server.close()


def answering(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body

"""Pass an answer of the pages on to the client, as fast as it takes it, and hang up on who takes too long."""

import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import aiohttp
from multidict import CIMultiDictProxy

from bot.front.protocol import Connection, Pairs, Scope
from bot.front.room import Held, Room

logger = logging.getLogger(__name__)

# A client must take an answer at this speed at least, after some seconds that everybody gets.
SLOWEST_BYTES_PER_SECOND = 20_000
PATIENCE_SECONDS = 20.0
PIECE_BYTES = 65_536
# A page's answer up to this size is taken off the pages' hands at once; what is longer passes through in pieces.
MOST_BUFFERED_BYTES = 4 * 1024 * 1024
# Of one connection only, and what we say ourselves.
HOP_BY_HOP = frozenset(
    {
        "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "server",
        "te", "trailer", "transfer-encoding", "upgrade", "content-length",
    }
)  # fmt: skip


class Passing:
    """An answer on its way: its status, what of it waits in memory, and whether it goes out in pieces."""

    def __init__(self, room: Room) -> None:
        self.status, self.streams = 0, False
        self._room = room
        self._held: Held | None = None

    def close(self) -> None:
        """Hold nothing any more."""
        if self._held is not None:
            self._room.end(self._held)

    async def pass_on(self, scope: Scope, connection: Connection, response: aiohttp.ClientResponse) -> None:
        """Give the client an answer. What is sent in pieces waits in memory until the client takes it.

        Raises:
            AppError: BUSY, it had to give way to others.
        """
        self.status = response.status
        headers = response_headers(response.headers)
        chunks = response.content.iter_chunked(PIECE_BYTES)
        pieces = await self._first(chunks)
        whole = response.content.at_eof()
        size = sum(map(len, pieces))
        length = str(size) if whole else response.headers.get("Content-Length")
        if scope.method == "HEAD" or response.status in {204, 304}:
            length = response.headers.get("Content-Length")
        if length is not None:
            headers.append(("content-length", length))
        if self._held is None:
            connection.response_bytes(response.status, headers, b"".join(pieces))
            return
        self.streams = True
        # (The end of the answer is that nothing refers to it any more.)
        stream = connection.response_stream(response.status, headers)
        with suppress(RuntimeError):  # the client is gone
            for piece in pieces:
                await stream.send_bytes(piece)
            async for piece in chunks:
                self._room.hold(self._held, len(piece))
                await stream.send_bytes(piece)

    async def _first(self, chunks: AsyncIterator[bytes]) -> list[bytes]:
        """Return an answer's pieces, all of them unless it is very large."""
        pieces: list[bytes] = []
        size = 0
        async for piece in chunks:
            pieces.append(piece)
            size += len(piece)
            if size > PIECE_BYTES:  # less is not worth counting
                if self._held is None:
                    self._held = self._room.begin()
                self._room.hold(self._held, size - self._held.size)
            if size > MOST_BUFFERED_BYTES:
                break
        return pieces

    async def wait_for_reader(self, scope: Scope, connection: Connection) -> None:
        """Return when the client has taken all of it; one that is too slow is hung up on."""
        held = self._held or Held()
        size = held.size
        try:
            async with held.within(PATIENCE_SECONDS + size / SLOWEST_BYTES_PER_SECOND):
                await connection.client_disconnect()
        except TimeoutError:
            logger.info("slow_reader_cut_off", extra={"bytes": size})
            hang_up(scope.client)


def response_headers(headers: CIMultiDictProxy[str]) -> Pairs:
    """Return the headers of an answer that are the client's."""
    own = [(name.lower(), value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP]
    return [*own, ("server", "web")]


def hang_up(client: str) -> None:
    """End the connection whose other end is this address and port: granian has no time-out for who does not read."""
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else ():
        try:
            with socket.socket(fileno=os.dup(int(name))) as found:
                host, port, *_ = found.getpeername()
                if client in {f"{host}:{port}", f"[{host}]:{port}"}:
                    found.shutdown(socket.SHUT_RDWR)
                    return
        except (OSError, ValueError, TypeError):  # no socket, or not connected
            continue

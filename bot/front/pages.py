"""Hand requests for pages to the process that renders them, over a Unix socket, and their answers back."""

import asyncio
import logging
import os
import socket
from contextlib import suppress
from urllib.parse import quote

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from bot.errors import AppError, ErrorCode
from bot.front.bodies import Body, together
from bot.front.limits import Bound, busy
from bot.front.protocol import Connection, Pairs, Scope
from config.front import CLIENT_HEADER, TOKEN_HEADER, front_token

logger = logging.getLogger(__name__)

# For one of the pages' threads to be free, and for an answer once one has begun.
SLOT_SECONDS = 10.0
ANSWER_SECONDS = 120.0
MOST_WAITING = 200
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
        "te", "trailer", "transfer-encoding", "upgrade", "content-length", CLIENT_HEADER, TOKEN_HEADER,
    }
)  # fmt: skip
SAFE_IN_PATH = "/:@!$&'()*+,;=-._~"
AWAY = "the pages do not answer, try again later"


class Pages:
    """The way to the pages' process: so many requests at once as it has threads, the others wait for some seconds."""

    def __init__(self, path: str, most: int) -> None:
        self.path = path
        self._slots = asyncio.Semaphore(most)
        self._waiting = Bound(MOST_WAITING, "requests for pages")
        self._token = front_token()
        self._client = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path, limit=0, keepalive_timeout=10),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS, connect=2),
        )

    async def close(self) -> None:
        """Close every connection to the pages."""
        await self._client.close()

    async def answer(self, scope: Scope, connection: Connection, body: Body) -> int:
        """Answer a request with what the pages say, and return the status.

        Raises:
            AppError: BUSY, no thread of theirs was free in time, or they are not there.
        """
        taken = Taken()
        try:
            async with self._slot():
                try:
                    request = self._client.request(
                        scope.method, self._url(scope), headers=self._headers(scope), data=body.content or None,
                        allow_redirects=False,
                    )  # fmt: skip
                    async with request as response:
                        await taken.pass_on(scope, connection, response)
                except (aiohttp.ClientError, OSError, AppError) as error:  # a time-out is an OSError
                    if taken.streams:  # half an answer is out: its end tells that there is no more
                        hang_up(scope.client)
                        return taken.status
                    if isinstance(error, AppError):
                        raise
                    context = {"error": type(error).__name__}
                    raise AppError(ErrorCode.BUSY, AWAY, retryable=True, context=context) from None
            if taken.streams:
                await taken.wait_for_reader(scope, connection)
            return taken.status
        finally:
            together.give_back(taken.size)

    async def is_there(self) -> bool:
        """Return whether somebody listens."""
        try:
            async with asyncio.timeout(0.5):
                _, writer = await asyncio.open_unix_connection(self.path)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    def _slot(self) -> "_Slot":
        return _Slot(self._slots, self._waiting)

    @staticmethod
    def _url(scope: Scope) -> URL:
        path = quote(scope.path, safe=SAFE_IN_PATH)
        return URL(f"http://pages{path}{'?' if scope.query_string else ''}{scope.query_string}", encoded=True)

    def _headers(self, scope: Scope) -> Pairs:
        """Return the request's headers, without those that WSGI takes for another: X_Real_IP is X-Real-IP there."""
        kept = [(name, value) for name, value in scope.headers.items() if "_" not in name and name not in HOP_BY_HOP]
        return [*kept, (CLIENT_HEADER, client_address(scope)), (TOKEN_HEADER, self._token)]


class Taken:
    """What was taken off the pages' hands: an answer's status, its size, and whether it goes out in pieces."""

    def __init__(self) -> None:
        self.status, self.size, self.streams = 0, 0, False

    async def pass_on(self, scope: Scope, connection: Connection, response: aiohttp.ClientResponse) -> None:
        """Give the client an answer. What is sent in pieces waits in memory until the client takes it.

        Raises:
            AppError: BUSY, there is no room for it.
        """
        self.status = response.status
        headers = response_headers(response.headers)
        pieces: list[bytes] = []
        chunks = response.content.iter_chunked(PIECE_BYTES)
        async for piece in chunks:
            self._count(piece)
            pieces.append(piece)
            if self.size > MOST_BUFFERED_BYTES:
                break
        whole = response.content.at_eof()
        length = str(self.size) if whole else response.headers.get("Content-Length")
        if scope.method == "HEAD" or response.status in {204, 304}:
            length = response.headers.get("Content-Length")
        if length is not None:
            headers.append(("content-length", length))
        if whole and self.size <= PIECE_BYTES:
            connection.response_bytes(response.status, headers, b"".join(pieces))
            return
        self.streams = True
        # (The end of the answer is that nothing refers to it any more.)
        stream = connection.response_stream(response.status, headers)
        with suppress(RuntimeError):  # the client is gone
            for piece in pieces:
                await stream.send_bytes(piece)
            async for piece in chunks:
                self._count(piece)
                await stream.send_bytes(piece)

    def _count(self, piece: bytes) -> None:
        together.take(len(piece))
        self.size += len(piece)

    async def wait_for_reader(self, scope: Scope, connection: Connection) -> None:
        """Return when the client has taken all of it; one that is too slow is hung up on."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS + self.size / SLOWEST_BYTES_PER_SECOND):
                await connection.client_disconnect()
        except TimeoutError:
            logger.info("slow_reader_cut_off", extra={"bytes": self.size})
            hang_up(scope.client)


class _Slot:
    """One of the pages' threads, for the length of a block."""

    def __init__(self, slots: asyncio.Semaphore, waiting: Bound) -> None:
        self._slots, self._waiting = slots, waiting

    async def __aenter__(self) -> None:
        with self._waiting.held():
            try:
                async with asyncio.timeout(SLOT_SECONDS):
                    await self._slots.acquire()
            except TimeoutError:
                raise busy("all pages that are under way take long, try again later") from None

    async def __aexit__(self, *_: object) -> None:
        self._slots.release()


def response_headers(headers: CIMultiDictProxy[str]) -> Pairs:
    """Return the headers of an answer that are the client's."""
    own = [(name.lower(), value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP]
    return [*own, ("server", "web")]


def client_address(scope: Scope) -> str:
    """Return the IP address of the other end, without its port; empty for a Unix socket."""
    address, colon, _port = scope.client.rpartition(":")
    return address.strip("[]") if colon else ""


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

"""Hand requests for pages to the process that renders them, over a Unix socket, and their answers back."""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from urllib.parse import quote

import aiohttp
from django.conf import settings
from yarl import URL

from bot.errors import AppError, ErrorCode
from bot.front.bodies import Body
from bot.front.limits import Bound, busy
from bot.front.passing import HOP_BY_HOP, Passing, hang_up
from bot.front.protocol import Connection, Pairs, Scope, pairs_of
from bot.front.room import Room
from config.front import CLIENT_HEADER, TOKEN_HEADER, front_token

# For one of the pages' threads to be free, and for an answer once one has begun.
SLOT_SECONDS = 10.0
ANSWER_SECONDS = 120.0
MOST_WAITING = 200
MOST_SIGN_INS = 50
SIGN_IN = "/admin/login/"
MOST_FILES = 1_000
# Answers that are larger than a piece, until their clients have taken them.
MOST_ANSWERS = 1_000
MOST_ANSWERS_BYTES = 64 * 1024 * 1024
DROPPED = HOP_BY_HOP | {CLIENT_HEADER, TOKEN_HEADER}
SAFE_IN_PATH = "/:@!$&'()*+,;=-._~"
AWAY = "the pages do not answer, try again later"


class Pages:
    """The way to the pages' process: so many requests at once as it has threads, the others wait for some seconds."""

    def __init__(self, path: str, most: int) -> None:
        self.path = path
        self._slot = Slots(most, Bound(MOST_WAITING, "requests for pages"))
        # Sign-ins keep a processor busy for long, and files are asked for by the hundred: both wait in queues of their
        # own, and some threads are always left for everybody else.
        self._sign_in = Slots(max(most // 2, 1), Bound(MOST_SIGN_INS, "attempts to sign in"))
        self._files = Slots(max(most // 2, 1), Bound(MOST_FILES, "requests for files"))
        self._token = front_token()
        self.answers = Room(MOST_ANSWERS, MOST_ANSWERS_BYTES)
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
            AppError: BUSY, no thread of theirs was free in time, they are not there, or there is no room for an answer.
        """
        passing = Passing(self.answers)
        try:
            async with self._gate(scope), self._slot:
                request = self._client.request(
                    scope.method, self._url(scope), headers=self._headers(scope), data=body.content or None,
                    allow_redirects=False,
                )  # fmt: skip
                async with request as response:
                    await passing.pass_on(scope, connection, response)
            if passing.streams:
                await passing.wait_for_reader(scope, connection)
        except (aiohttp.ClientError, OSError, AppError) as error:  # a time-out is an OSError
            if passing.streams:  # half an answer is out: its end tells that there is no more
                hang_up(scope.client)
            elif isinstance(error, AppError):
                raise
            else:
                raise AppError(ErrorCode.BUSY, AWAY, retryable=True, context={"error": type(error).__name__}) from None
        finally:
            passing.close()
        return passing.status

    async def is_there(self) -> bool:
        """Return whether somebody listens."""
        try:
            async with asyncio.timeout(0.5):
                _, writer = await asyncio.open_unix_connection(self.path)
        except (OSError, TimeoutError):
            return False
        writer.close()
        return True

    def _gate(self, scope: Scope) -> AbstractAsyncContextManager[None]:
        if scope.method == "POST" and scope.path == SIGN_IN:
            return self._sign_in
        return self._files if scope.path.startswith(settings.STATIC_URL) else nullcontext()

    @staticmethod
    def _url(scope: Scope) -> URL:
        path = quote(scope.path, safe=SAFE_IN_PATH)
        return URL(f"http://pages{path}{'?' if scope.query_string else ''}{scope.query_string}", encoded=True)

    def _headers(self, scope: Scope) -> Pairs:
        """Return the request's headers, without those that WSGI takes for another: X_Real_IP is X-Real-IP there.

        Raises:
            AppError: INVALID_INPUT, they name two hosts; proxies and Django would not agree on which one counts.
        """
        kept = [pair for pair in pairs_of(scope.headers) if "_" not in pair[0] and pair[0] not in DROPPED]
        if sum(name == "host" for name, _ in kept) > 1:
            raise AppError(ErrorCode.INVALID_INPUT, "there is more than one Host")
        return [*kept, (CLIENT_HEADER, client_address(scope)), (TOKEN_HEADER, self._token)]


class Slots:
    """So many requests at once, each for the length of a block; the others wait for some seconds."""

    def __init__(self, most: int, waiting: Bound) -> None:
        self._slots, self._waiting = asyncio.Semaphore(most), waiting

    async def __aenter__(self) -> None:
        with self._waiting.held():
            try:
                async with asyncio.timeout(SLOT_SECONDS):
                    await self._slots.acquire()
            except TimeoutError:
                raise busy("all pages that are under way take long, try again later") from None

    async def __aexit__(self, *_: object) -> None:
        self._slots.release()


def client_address(scope: Scope) -> str:
    """Return the IP address of the other end, without its port; empty for a Unix socket."""
    address, colon, _port = scope.client.rpartition(":")
    return address.strip("[]") if colon else ""

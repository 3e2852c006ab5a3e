"""The HTTP client that the SDK sends its requests with: one POST of bytes and its whole answer, over aiohttp.

The SDK's own merges headers, cookies, URLs, hooks and redirects anew for each request: half of what a call costs. What
the SDK is used for (headers, retries, errors) goes through this one as well.
"""

import sys
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx2
from multidict import CIMultiDict, istr
from yarl import URL

from config.egress import through

# How aiohttp's errors are called by the SDK, which decides by it what it may try again. The first that fits counts.
_SDK_ERRORS: tuple[tuple[type[Exception], type[httpx2.RequestError]], ...] = (
    (aiohttp.SocketTimeoutError, httpx2.ReadTimeout),
    (aiohttp.ServerTimeoutError, httpx2.TimeoutException),
    (aiohttp.ClientConnectorError, httpx2.ConnectError),
    (aiohttp.ClientHttpProxyError, httpx2.ConnectError),
    (aiohttp.ClientConnectionError, httpx2.ConnectTimeout),
    (aiohttp.ClientPayloadError, httpx2.ReadError),
    (aiohttp.NonHttpUrlClientError, httpx2.UnsupportedProtocol),
    (aiohttp.InvalidUrlClientError, httpx2.UnsupportedProtocol),
)


def with_content(request: httpx2.Request, content: Any) -> httpx2.Request:
    """Return a request with the head of another one and its own content, in bytes."""
    return httpx2.Request(request.method, request.url, stream=httpx2.ByteStream(content), extensions=request.extensions)


class LeanClient(httpx2.AsyncClient):
    """What the SDK needs of an HTTP client. It follows no redirect: what people write goes to the configured server."""

    def __init__(
        self, *, connections: int, keepalive_seconds: float, refused: Callable[[httpx2.Response], None]
    ) -> None:
        """Prepare; the session is opened by the first request, in the event loop it runs in.

        refused: is shown each answer of a status from 400 on, before the SDK decides whether to try again.
        """
        # (Any transport: the library would make one of its own, which costs memory for nothing.)
        super().__init__(transport=httpx2.AsyncBaseTransport(), trust_env=False)
        self._connections, self._keepalive_seconds, self._refused = connections, keepalive_seconds, refused
        self._session: aiohttp.ClientSession | None = None

    def build_request(self, method: str, url: Any, **given: Any) -> httpx2.Request:
        """Return a request as the SDK describes it. Its headers and content are passed on as they are."""
        # As aiohttp keeps them: of texts it would make its own for each request.
        headers = CIMultiDict((istr(name), value) for name, value in given["headers"])
        extensions = {
            "timeout": given["timeout"].as_dict(),
            "headers": headers,
            "url": URL(url),
            "proxy": through(str(url)),
        }
        return httpx2.Request(method, url, stream=httpx2.ByteStream(given["content"]), extensions=extensions)

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Return the whole answer, whatever its status.

        Raises:
            httpx2.RequestError: there is none, or not all of it.
        """
        sent = request.extensions
        session = self._session or self._open()
        try:
            async with session.request(
                request.method,
                sent["url"],
                headers=sent["headers"],
                data=request.read(),
                allow_redirects=False,
                **sent["proxy"],
                # (The caller's deadline ends the rest: a timer less for each, which are several.)
                timeout=aiohttp.ClientTimeout(sock_connect=sent["timeout"]["connect"]),
            ) as answer:
                content, headers = await answer.read(), answer.raw_headers
        except Exception as error:
            named = next((ours for theirs, ours in _SDK_ERRORS if isinstance(error, theirs)), None)
            if named is None:
                raise
            raise named("") from error
        response = httpx2.Response(answer.status, headers=headers, content=content, request=request)
        if answer.status >= 400:
            self._refused(response)
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await super().aclose()
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        # Where the system's certificates are files aiohttp finds them, as for channels; httpx2 knows other stores, and
        # loads a second HTTP client with them.
        ssl = httpx2.create_ssl_context() if sys.platform in ("darwin", "win32") else True
        connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=self._keepalive_seconds, ssl=ssl)
        # (Not unpacked by aiohttp: the response that the SDK is given does it.)
        self._session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        )
        return self._session

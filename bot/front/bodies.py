"""Read the bodies of requests: bounded in size, in time, and in what all of them hold together."""

import asyncio

from bot.errors import AppError, ErrorCode
from bot.front.limits import Bound
from bot.front.protocol import Connection, Scope

# So small a body is not worth counting.
SMALL_BYTES = 16_384
# All larger bodies together, whoever sends them, until they are answered.
MOST_BYTES = 64 * 1024 * 1024
# Bodies that are on their way. Each is a connection that somebody can hold with one byte.
MOST_BODIES = 5_000

together = Bound(MOST_BYTES, "bytes")
arriving = Bound(MOST_BODIES, "requests")


class Body:
    """A request's body: `content`, and how many bytes it counts for until close()."""

    __slots__ = ("_counted", "content")

    def __init__(self, content: bytes = b"", counted: int = 0) -> None:
        self.content = content
        self._counted = counted

    def close(self) -> None:
        """Count its bytes no more."""
        together.give_back(self._counted)
        self._counted = 0


async def read_body(scope: Scope, connection: Connection, *, most_bytes: int, seconds: float) -> Body:
    """Return a request's body, with or without a Content-Length; whoever asked for it closes it.

    Raises:
        AppError: PAYLOAD_TOO_LARGE (413), INVALID_INPUT: it did not arrive in time (408) or ended early (400), or BUSY:
            there is too much of others already (503).
    """
    declared = scope.headers.get("content-length")
    length = int(declared) if declared else None  # the server has seen to it that it is a number
    if length == 0:
        return Body()
    if length is not None and length > most_bytes:
        raise too_large(most_bytes)
    arriving.take()
    try:
        async with asyncio.timeout(seconds):
            if length is not None and length <= SMALL_BYTES:
                return Body(await connection())
            return await _read_large(connection, most_bytes)
    except TimeoutError:
        raise AppError(
            ErrorCode.INVALID_INPUT, f"the body did not arrive within {seconds:g} seconds", status_code=408
        ) from None
    except RuntimeError:  # granian's word for a connection that was closed
        raise AppError(ErrorCode.INVALID_INPUT, "the body ended early") from None
    finally:
        arriving.give_back()


async def _read_large(connection: Connection, most_bytes: int) -> Body:
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in connection:
            if size + len(piece) > most_bytes:
                raise too_large(most_bytes)
            together.take(len(piece))
            size += len(piece)
            pieces.append(piece)
    except BaseException:
        together.give_back(size)
        raise
    return Body(b"".join(pieces), size)


def too_large(most_bytes: int) -> AppError:
    """Return the refusal of a body over the limit."""
    return AppError(ErrorCode.PAYLOAD_TOO_LARGE, f"the body is larger than {most_bytes} bytes")

"""Read the bodies of requests: bounded in size, in time, and in what all of them hold together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from bot.errors import AppError, ErrorCode
from bot.front.protocol import Connection, Scope
from bot.front.room import Held, Room

# So small a body is not worth counting.
SMALL_BYTES = 16_384
# Of a body that is too large.
DISCARD_SECONDS = 2.0
MOST_DISCARDED_BYTES = 12 * 1024 * 1024


class Body:
    """A request's body: `content`, and what it holds of a room until close()."""

    __slots__ = ("_held", "_room", "content")

    def __init__(self, content: bytes = b"", room: Room | None = None, held: Held | None = None) -> None:
        self.content = content
        self._room, self._held = room, held

    def close(self) -> None:
        """Hold nothing any more."""
        if self._room is not None and self._held is not None:
            self._room.end(self._held)


async def read_body(scope: Scope, connection: Connection, room: Room, *, most_bytes: int, seconds: float) -> Body:
    """Return a request's body, with or without a Content-Length; whoever asked for it closes it.

    Raises:
        AppError: PAYLOAD_TOO_LARGE (413), INVALID_INPUT: it did not arrive in time (408) or ended early (400), or BUSY:
            it had to give way to others (503).
    """
    declared = scope.headers.get("content-length")
    length = int(declared) if declared else None  # the server has seen to it that it is a number
    if length == 0:
        return Body()
    held = room.begin()
    try:
        if length is not None and length <= SMALL_BYTES and length <= most_bytes:
            body = Body(await room.small(held, connection(), seconds))
            room.keep(held)
            return body
        async with held.within(seconds):
            if length is not None and length > most_bytes:
                if not scope.headers.get("expect"):  # (who expects a word first has sent nothing yet)
                    await _discard(aiter(connection))
                raise too_large(most_bytes)
            body = await _read_large(connection, room, held, most_bytes)
            if length is not None and len(body.content) != length:
                raise ended_early()
            room.keep(held)
            return body
    except BaseException as error:
        room.end(held)
        if isinstance(error, TimeoutError):
            raise (room.crowded() if held.gave_way else too_slow(seconds)) from None
        if isinstance(error, RuntimeError):  # granian's word for a connection that was closed
            raise ended_early() from None
        raise


async def _read_large(connection: Connection, room: Room, held: Held, most_bytes: int) -> Body:
    pieces: list[bytes] = []
    stream = aiter(connection)
    while piece := await _next(stream):
        if held.size + len(piece) > most_bytes:
            pieces.clear()
            room.end(held)
            await _discard(stream)
            raise too_large(most_bytes)
        room.hold(held, len(piece))
        pieces.append(piece)
    return Body(b"".join(pieces), room, held)


async def _next(stream: AsyncIterator[bytes]) -> bytes:
    """Return the next piece, or nothing at the end; a body that was cut off ends as well.

    (anext() with a default cannot be cancelled: it asks granian's futures for what they do not have.)
    """
    try:
        return await stream.__anext__()
    except StopAsyncIteration:
        return b""


async def _discard(stream: AsyncIterator[bytes]) -> None:
    """Read on for a moment what nobody wants: who is cut off while sending does not see the answer.

    nginx takes that for a server that has failed.
    """
    size = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(DISCARD_SECONDS):
            while size < MOST_DISCARDED_BYTES and (piece := await _next(stream)):
                size += len(piece)


def ended_early() -> AppError:
    """Return the refusal of a body that is not all there."""
    return AppError(ErrorCode.INVALID_INPUT, "the body ended early")


def too_slow(seconds: float) -> AppError:
    """Return the refusal of a body that did not arrive in time."""
    return AppError(ErrorCode.INVALID_INPUT, f"the body did not arrive within {seconds:g} seconds", status_code=408)


def too_large(most_bytes: int) -> AppError:
    """Return the refusal of a body over the limit."""
    return AppError(ErrorCode.PAYLOAD_TOO_LARGE, f"the body is larger than {most_bytes} bytes")

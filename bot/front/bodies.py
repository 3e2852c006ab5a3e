"""Read the bodies of requests: bounded in size, in time, and in what all of them hold together."""

from bot.errors import AppError, ErrorCode
from bot.front.protocol import Connection, Scope
from bot.front.room import Held, Room

# So small a body is not worth counting.
SMALL_BYTES = 16_384


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
    if length is not None and length > most_bytes:
        raise too_large(most_bytes)
    held = room.begin()
    try:
        async with held.within(seconds):
            if length is not None and length <= SMALL_BYTES:
                body = Body(await connection())
            else:
                body = await _read_large(connection, room, held, most_bytes)
            room.keep(held)
            return body
    except BaseException as error:
        room.end(held)
        if isinstance(error, TimeoutError):
            raise (room.crowded() if held.gave_way else too_slow(seconds)) from None
        if isinstance(error, RuntimeError):  # granian's word for a connection that was closed
            raise AppError(ErrorCode.INVALID_INPUT, "the body ended early") from None
        raise


async def _read_large(connection: Connection, room: Room, held: Held, most_bytes: int) -> Body:
    pieces: list[bytes] = []
    async for piece in connection:
        if held.size + len(piece) > most_bytes:
            raise too_large(most_bytes)
        room.hold(held, len(piece))
        pieces.append(piece)
    return Body(b"".join(pieces), room, held)


def too_slow(seconds: float) -> AppError:
    """Return the refusal of a body that did not arrive in time."""
    return AppError(ErrorCode.INVALID_INPUT, f"the body did not arrive within {seconds:g} seconds", status_code=408)


def too_large(most_bytes: int) -> AppError:
    """Return the refusal of a body over the limit."""
    return AppError(ErrorCode.PAYLOAD_TOO_LARGE, f"the body is larger than {most_bytes} bytes")

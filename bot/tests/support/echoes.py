"""Our own ids as providers echo them."""

from typing import Any

from bot.channels.echo import sign_id
from bot.queue.snapshot import echo_keys


def echo(id: int) -> str:
    """Return what a provider echoes of a message that this installation sent."""
    return sign_id(echo_keys(), id)


def echoed_id(body: dict[str, Any]) -> int:
    """Return our own id of what a request was to send, whatever installation signed it."""
    digits, _dot, code = body["biz_opaque_callback_data"].partition(".")
    assert code, "an id is signed"
    return int(digits)

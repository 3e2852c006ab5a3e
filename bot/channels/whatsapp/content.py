"""What a message says: the kinds a person expects an answer to, and where each keeps its words."""

from collections.abc import Callable
from typing import Any

from bot.channels.base import TEXT
from bot.channels.whatsapp.fields import has_code, member, string

UNSUPPORTED = "unsupported"
UNSUPPORTED_CODE = 131051

# Returns the words; None when the message turns out to need no answer. Raises Malformed.
Reader = Callable[[dict[str, Any]], str | None]


def reader(kind: str, message: dict[str, Any]) -> tuple[str, Reader | None]:
    """Return our kind of a message of WhatsApp's kind, and what reads it; None: it needs no answer.

    Reactions, edits, deletions, system notes and kinds yet to come need none.
    """
    if kind in WRITTEN:
        return TEXT, WRITTEN[kind]
    if kind in OTHERS:
        return kind, OTHERS[kind]
    return UNSUPPORTED, _no_text if has_code(message, UNSUPPORTED_CODE) else None


def _body(message: dict[str, Any]) -> str:
    return string(member(message, "text"), "body")


def _button(message: dict[str, Any]) -> str:
    return string(member(message, "button"), "text")


def _interactive(message: dict[str, Any]) -> str | None:
    interactive = member(message, "interactive")
    kind = string(interactive, "type")
    return string(member(interactive, kind), REPLIES[kind]) if kind in REPLIES else None


def _caption(message: dict[str, Any]) -> str:
    media = member(message, message["type"])
    return "" if media.get("caption") is None else string(media, "caption")


def _order(message: dict[str, Any]) -> str:
    order = member(message, "order")
    return "" if order.get("text") is None else string(order, "text")


def _no_text(message: dict[str, Any]) -> str:
    return ""


REPLIES = {"button_reply": "title", "list_reply": "title", "nfm_reply": "body"}
WRITTEN: dict[str, Reader] = {TEXT: _body, "interactive": _interactive, "button": _button}
OTHERS: dict[str, Reader] = {
    **dict.fromkeys(("image", "video", "document", "audio", "voice", "sticker"), _caption),
    "order": _order,
    **dict.fromkeys(("location", "contacts", UNSUPPORTED), _no_text),
}

"""Export documents: everything held about a person as data, as JSON and as readable text.

read(), json_pieces() and text_pieces() stream rows in chunks of CHUNK_ROWS, in constant memory; export(), as_json() and
as_text() hold everything in memory.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bot.models import AccessRequest, InboundMessage, Lease, OutboundMessage
from bot.privacy.export.fields import Part, time
from bot.privacy.export.parts import PARTS
from bot.privacy.subjects import Subject

INDENT = "  "
MADE_AT = time("made_at", "")


class TooLarge(ValueError):
    """The export exceeds its size limit."""


def read(subject: Subject) -> dict[str, Any]:
    """Return an export whose parts are iterators, to be read once each and in this order.

    {"made_at": ISO 8601, "addresses": [{"channel", "address"}], part's name: rows as mappings, …}; see PARTS.
    """
    named = [{"channel": channel, "address": address} for channel, address in sorted(subject.addresses)]
    parts = {part.name: part.read(subject) for part in PARTS}
    return {"made_at": timezone.now().isoformat(), "addresses": named, **parts}


def export(subject: Subject) -> dict[str, Any]:
    """Return everything held about a subject as JSON values, without secrets and other people's data."""
    held: dict[str, Any] = _realized(read(subject))
    return held


def is_anything_held(subject: Subject) -> bool:
    """Return whether there is a person, or a message from the address."""
    chats = (InboundMessage, OutboundMessage, Lease, AccessRequest)
    return subject.person is not None or any(
        model._default_manager.filter(subject.chats(model)).exists() for model in chats
    )


def as_json(held: Mapping[str, Any]) -> str:
    """Return an export as indented JSON, not escaped to ASCII, with times in ISO 8601 with their zone."""
    return "".join(json_pieces(held))


def as_text(held: Mapping[str, Any]) -> str:
    """Return an export as a text in the active language, with times in TIME_ZONE."""
    return "".join(text_pieces(held))


def bounded(pieces: Iterable[str], most_bytes: int) -> str:
    """Join pieces to one text.

    Raises:
        TooLarge: it would exceed most_bytes in UTF-8. Reading stops there.
    """
    taken: list[str] = []
    size = 0
    for piece in pieces:
        size += len(piece.encode())
        if size > most_bytes:
            raise TooLarge(f"more than {most_bytes} bytes")
        taken.append(piece)
    return "".join(taken)


def json_pieces(value: Any, indent: str = "") -> Iterator[str]:
    """Yield a value as indented JSON in pieces; an iterator becomes an array."""
    inside = indent + INDENT
    if isinstance(value, Mapping):
        yield from _bracketed("{}", indent, (_member(key, one, inside) for key, one in value.items()))
    elif isinstance(value, list | Iterator):
        yield from _bracketed("[]", indent, (json_pieces(one, inside) for one in value))
    else:
        yield json.dumps(value, ensure_ascii=False)
    if not indent:
        yield "\n"


def text_pieces(held: Mapping[str, Any]) -> Iterator[str]:
    """Yield an export as a readable text in pieces."""
    yield _("Everything that is held about you") + "\n"
    yield _("As of %(time)s") % {"time": MADE_AT.shown(held["made_at"])} + "\n"
    for part in PARTS:
        yield f"\n\n{part.title}\n{'=' * len(str(part.title))}\n"
        yield from _rows_in_words(part, held[part.name], "")


def _rows_in_words(part: Part, rows: Iterable[Mapping[str, Any]], indent: str) -> Iterator[str]:
    empty = True
    for row in rows:
        empty = False
        shown = [(one, one.shown(row[one.name])) for one in part.told]
        short = "; ".join(
            f"{one.label}: {' '.join(words.split())}" for one, words in shown if words and not one.is_long
        )
        yield f"{indent}- {short}\n"
        yield from (_block(words, indent + INDENT) for one, words in shown if words and one.is_long)
        if part.inner:
            yield from _rows_in_words(part.inner, row[part.inner.name], indent + INDENT)
    if empty:
        # Not inside an f-string, where makemessages would not find it.
        yield indent + _("Nothing.") + "\n"


def _block(text: str, indent: str) -> str:
    return "".join(f"{indent}{line}\n" for line in text.splitlines())


def _member(key: str, value: Any, indent: str) -> Iterator[str]:
    yield f"{json.dumps(key, ensure_ascii=False)}: "
    yield from json_pieces(value, indent)


def _bracketed(brackets: str, indent: str, members: Iterator[Iterator[str]]) -> Iterator[str]:
    opening, closing = brackets[0], brackets[1]
    first = next(members, None)
    if first is None:
        yield brackets
        return
    yield f"{opening}\n{indent}{INDENT}"
    yield from first
    for member in members:
        yield f",\n{indent}{INDENT}"
        yield from member
    yield f"\n{indent}{closing}"


def _realized(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _realized(one) for key, one in value.items()}
    return [_realized(one) for one in value] if isinstance(value, list | Iterator) else value

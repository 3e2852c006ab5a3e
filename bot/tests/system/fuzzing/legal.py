"""What may be stored: judged by the columns, so that SQLite (which takes almost anything) is as strict."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.db import models

from bot.channels.events import AddressChanged, Event, InboundEvent, RejectedItem, ReportedError, StatusEvent
from bot.models import InboundMessage, OutboundMessage
from bot.models.statuses import STATUS_MAY_FOLLOW
from bot.text import clean

LATEST = datetime(2100, 1, 2, tzinfo=UTC)
LONGEST_TEXT = 65_536
LONGEST_NOTE = 8_000


def row_faults(row: models.Model) -> list[str]:
    """Return what of a row one of the databases could not hold or hand back."""
    return [
        f"{type(row).__name__}.{field.attname}: {fault}"
        for field in row._meta.concrete_fields
        for fault in _value_faults(getattr(row, field.attname), field)
    ]


def event_faults(event: Event) -> list[str]:
    """Return what of an event could not be stored, or breaks what bot/channels/events.py promises of it."""
    match event:
        case InboundEvent():
            return [*_inbound_faults(event)]
        case StatusEvent():
            return [*_status_faults(event)]
        case AddressChanged():
            return [*_change_faults(event)]
        case ReportedError():
            return [*_text_faults("code", event.code, 32), *_text_faults("account_id", event.account_id, 255)]
        case RejectedItem():
            return [*_text_faults("reason", event.reason, 200, least=1), *_text_faults("id", event.external_id, 255)]


def _inbound_faults(event: InboundEvent) -> Iterator[str]:
    for name in ("external_id", "address", "kind"):
        yield from _text_faults(name, getattr(event, name), _length(InboundMessage, name), least=1)
    yield from _text_faults("account_id", event.account_id, 255)
    yield from _text_faults("other_address", event.other_address, _length(InboundMessage, "address"))
    yield from _text_faults("profile_name", event.profile_name, 100)
    yield from _text_faults("text", event.text, LONGEST_TEXT)
    yield from _text_faults("note", event.note, LONGEST_NOTE)
    yield from _text_faults("quotes", event.quotes, 255)
    if event.text != clean(event.text) or event.note != clean(event.note):
        yield "text: not cleaned"
    if any(not (line.startswith("[") and line.endswith("]")) for line in event.note.splitlines()):
        yield "note: not in brackets"
    if event.kind == "text" and not event.text.strip():
        yield "text: nothing in it"
    if event.sent_at is not None and not (event.sent_at.tzinfo and event.sent_at < LATEST):
        yield f"sent_at: {event.sent_at}"


def _status_faults(event: StatusEvent) -> Iterator[str]:
    yield from _text_faults("external_id", event.external_id, _length(OutboundMessage, "external_id"), least=1)
    yield from _text_faults("error_code", event.error_code, _length(OutboundMessage, "error_code"))
    yield from _text_faults("account_id", event.account_id, 255)
    if event.status not in STATUS_MAY_FOLLOW:
        yield f"status: {event.status!r}"
    if event.outbound_id is not None and not 0 < event.outbound_id < 2**63:
        yield f"outbound_id: {event.outbound_id}"


def _change_faults(event: AddressChanged) -> Iterator[str]:
    yield from _text_faults("external_id", event.external_id, _length(InboundMessage, "external_id"), least=1)
    yield from _text_faults("account_id", event.account_id, 255)
    for name in (name for move in event.moves for name in move):
        yield from _text_faults("moves", name, _length(InboundMessage, "address"))
    if not any(old for old, _ in event.moves) or all(new in ("", old) for old, new in event.moves):
        yield "moves: nobody, or nothing, changes"


def _length(model: type[models.Model], name: str) -> int:
    longest = model._meta.get_field(name).max_length  # type: ignore[union-attr]
    assert longest is not None
    return longest


def _text_faults(name: str, text: Any, longest: int, least: int = 0) -> Iterator[str]:
    if not isinstance(text, str):
        yield f"{name}: a {type(text).__name__}"
    elif not least <= len(text) <= longest:
        yield f"{name}: {len(text)} characters"
    elif not is_storable(text):
        yield f"{name}: {text[:50]!r} holds what no database does"


def _value_faults(value: Any, field: "models.Field[Any, Any]") -> Iterator[str]:
    if isinstance(value, str) and field.max_length is not None and len(value) > field.max_length:
        yield f"{len(value)} characters"
    if field.choices and value not in dict(field.flatchoices):
        yield f"{value!r} is no choice"
    for text in _texts(value):
        if not is_storable(text):
            yield f"{text[:50]!r} holds what no database does"
    if type(value) is int and not -(2**63) <= value < 2**63:
        yield f"{value} is too large"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from (key, *_texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def is_storable(text: str) -> bool:
    """Return whether both databases hold the text: no NUL, no lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)

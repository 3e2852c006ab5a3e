"""Store new rows of the inbox: many in one statement, as one JSON text."""

import json
from collections.abc import Sequence
from datetime import datetime
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, NamedTuple

from django.db import connection


class NewInbound(NamedTuple):
    """One row to be stored in the inbox. Times are aware. (A tuple: there is one for each message.)"""

    bot_id: int
    external_id: str
    address: str
    kind: str
    received_at: datetime
    available_at: datetime
    payload: dict[str, Any]
    state: str = "pending"
    error_code: str = ""
    sent_at: datetime | None = None
    request_id: str = ""
    origin: str = "person"


# What names a row once and for all: its bot's id, and its external id.
RowKey = tuple[int, str]


# What a row is stored from; a statement puts in what most rows have, so that none of them has to carry it.
_TYPES = {
    "bot_id": "bigint", "external_id": "text", "address": "text", "kind": "text", "payload": "jsonb", "state": "text",
    "error_code": "text", "sent_at": "timestamptz", "received_at": "timestamptz", "available_at": "timestamptz",
    "request_id": "text", "origin": "text",
}  # fmt: skip
_USUAL = {"state": "'pending'", "origin": "'person'", "error_code": "''", "available_at": "received_at"}
_COLUMNS = ", ".join((*_TYPES, "attempts"))


class _Written(dict[datetime | None, str]):
    """Moments in JSON, as the database takes them: each is written once for all rows that came together."""

    def __missing__(self, moment: datetime | None) -> str:
        """Write one."""
        value = connection.ops.adapt_datetimefield_value(moment)
        self[moment] = text = "null" if value is None else f'"{value}"'
        return text


def _stored_from(read: dict[str, str]) -> str:
    """Return what the columns are stored from; read: how each is read."""
    usual = {name: read.get(value, value) for name, value in _USUAL.items()}
    values = (f"COALESCE({read[name]}, {usual[name]})" if name in usual else read[name] for name in _TYPES)
    return ", ".join((*values, "0"))


_TYPED = ", ".join(f"{name} {kind}" for name, kind in _TYPES.items())
_EXTRACTED = {name: f"json_extract(value, '$.{name}')" for name in _TYPES}
_SOURCES = {
    "postgresql": f"SELECT {_stored_from({name: name for name in _TYPES})} "  # noqa: S608 (columns)
    f"FROM json_to_recordset(%s::json) AS row_({_TYPED})",
    # (Without the WHERE SQLite would take the ON of ON CONFLICT for that of a join.)
    "sqlite": f"SELECT {_stored_from(_EXTRACTED)} "  # noqa: S608 (columns)
    "FROM json_each(%s) WHERE true",
}
_STORE = {
    vendor: f"INSERT INTO bot_inboundmessage ({_COLUMNS}) {source} ON CONFLICT DO NOTHING "
    "RETURNING bot_id, external_id, id"
    for vendor, source in _SOURCES.items()
}


def _pairs(values: dict[str, Any]) -> str:
    """Return what stands in a JSON object: texts, mostly."""
    pairs = [
        f'"{name}": {_quoted(value) if isinstance(value, str) else json.dumps(value)}' for name, value in values.items()
    ]
    return ", ".join(pairs)


def _as_json(rows: Sequence[NewInbound]) -> str:
    """Return rows as a JSON list, with names of columns that are not written anew for each as an encoder would."""
    written = _Written()
    objects = []
    for row in rows:
        unusual = ""
        if row.available_at is not row.received_at:
            unusual = f', "available_at": {written[row.available_at]}'
        if row.state != "pending" or row.origin != "person" or row.error_code:
            told = {"state": row.state, "origin": row.origin, "error_code": row.error_code}
            unusual += f", {_pairs(told)}"
        objects.append(
            f'{{"bot_id": {row.bot_id}, "external_id": {_quoted(row.external_id)}, "address": {_quoted(row.address)}, '
            f'"kind": {_quoted(row.kind)}, "payload": {{{_pairs(row.payload)}}}, "sent_at": {written[row.sent_at]}, '
            f'"received_at": {written[row.received_at]}, "request_id": {_quoted(row.request_id)}{unusual}}}'
        )
    return f"[{', '.join(objects)}]"


def store(rows: Sequence[NewInbound]) -> dict[RowKey, int]:
    """Insert the rows that are not there yet, in one statement; return the ids of the new ones."""
    # The rows travel as one JSON text: eleven parameters a row cost a webhook more CPU than all the rest of it.
    content = _as_json(rows)
    with connection.cursor() as cursor:
        cursor.execute(_STORE[connection.vendor], [content])
        return {(bot_id, external_id): id for bot_id, external_id, id in cursor.fetchall()}

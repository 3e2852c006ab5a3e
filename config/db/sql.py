"""Helpers for raw SQL on PostgreSQL and SQLite that pass many values as one parameter.

With a placeholder for each value, every number of values would be a new statement, which is built, parsed by the driver
and planned each time.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection


def on_postgresql() -> bool:
    """Return whether this thread's database is PostgreSQL."""
    return connection.vendor == "postgresql"


def time_value(value: datetime | None) -> Any:
    """Return a time as a parameter of the raw cursor."""
    return connection.ops.adapt_datetimefield_value(value)


def read_time(value: Any) -> datetime | None:
    """Return a time from the raw cursor as an aware one; SQLite returns texts, or naive times."""
    moment: datetime | None = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def in_ids() -> str:
    """Return the condition, to follow a column, on ids that are passed as ids_value()."""
    return "= ANY(%s::bigint[])" if on_postgresql() else "IN (SELECT value FROM json_each(%s))"


def ids_value(ids: Iterable[int]) -> str:
    """Return the one parameter of in_ids()."""
    listed = ",".join(map(str, ids))
    return f"{{{listed}}}" if on_postgresql() else f"[{listed}]"


def texts_source() -> str:
    """Return a SELECT of texts that are passed as texts_value()."""
    return "SELECT jsonb_array_elements_text(%s::jsonb)" if on_postgresql() else "SELECT value FROM json_each(%s)"


def texts_value(texts: Iterable[str]) -> str:
    """Return the one parameter of texts_source()."""
    return json.dumps(list(texts))


def rows_source(name: str, columns: Mapping[str, str]) -> str:
    """Return a table `name` for a FROM clause, of rows passed as rows_value(). columns: PostgreSQL's types."""
    if on_postgresql():
        types = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        return f"jsonb_to_recordset(%s::jsonb) AS {name}({types})"
    values = ", ".join(f"json_extract(value, '$.{column}') AS {column}" for column in columns)
    return f"(SELECT {values} FROM json_each(%s)) AS {name}"  # noqa: S608 (names of columns)


def rows_value(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the one parameter of rows_source()."""
    return json.dumps(list(rows), default=_as_json)


def for_update(rest: str = "") -> str:
    """Return FOR UPDATE on PostgreSQL; nothing on SQLite, which has one writer at a time."""
    return f"FOR UPDATE {rest}" if connection.features.has_select_for_update else ""


def execute(statement: str, parameters: Iterable[Any] = ()) -> int:
    """Execute a statement and return how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        return int(cursor.rowcount)


def fetch(statement: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    """Execute a statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))
        return list(cursor.fetchall())


def _as_json(value: Any) -> str:
    if isinstance(value, datetime):
        return str(time_value(value))
    raise TypeError(f"A {type(value).__name__} cannot be a parameter.")

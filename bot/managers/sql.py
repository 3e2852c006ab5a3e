"""What the written-out statements share."""

from datetime import datetime
from typing import Any

from django.db import connection


def time_value(value: datetime | None) -> Any:
    """Return a time as the database's raw cursor wants it."""
    return connection.ops.adapt_datetimefield_value(value)


def rows_of(count: int, placeholders: str) -> str:
    """Return the VALUES list of so many rows: rows_of(2, "(%s, %s)") is "(%s, %s), (%s, %s)"."""
    return ", ".join([placeholders] * count)


def json_placeholder() -> str:
    """Return the placeholder of a JSON text whose type the statement does not tell: PostgreSQL takes it for a text."""
    return "%s::jsonb" if connection.vendor == "postgresql" else "%s"

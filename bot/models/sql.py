"""What the written-out statements share."""

from django.db import connection

from config.db.sql import time_value as time_value


def rows_of(count: int, placeholders: str) -> str:
    """Return the VALUES list of so many rows: rows_of(2, "(%s, %s)") is "(%s, %s), (%s, %s)"."""
    return ", ".join([placeholders] * count)


def json_placeholder() -> str:
    """Return the placeholder of a JSON text whose type the statement does not tell: PostgreSQL takes it for a text."""
    return "%s::jsonb" if connection.vendor == "postgresql" else "%s"

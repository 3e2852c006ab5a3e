"""Ask for the report in a terminal."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

from django.core.management import call_command

from usage.models import UsageRecord
from usage.tests.factories import UsageRecordFactory

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def used(user: Any, ago: float = 0, **fields: Any) -> UsageRecord:
    record: UsageRecord = UsageRecordFactory.create(
        **{"user": user, "bot": "shop", "created_at": NOW - timedelta(days=ago), **fields}
    )
    return record


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("usage_report", *arguments, stdout=out)
    return out.getvalue()


def table_of(text: str, heading: str) -> list[list[str]]:
    """Return the rows of the table that begins with a heading, without their spaces."""
    blocks = text.split("\n\n")
    block = next(block for block in blocks if block.startswith(heading))
    return [line.split() for line in block.splitlines()[1:]]

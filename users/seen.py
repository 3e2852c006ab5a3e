"""When people last wrote to a bot: known to a quarter of an hour, so that a chat costs one write and not one a turn."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from config.db.sql import execute, on_postgresql, rows_source, rows_value

STEP = timedelta(minutes=15)


def is_due(last: datetime | None, at: datetime) -> bool:
    """Return whether somebody who wrote is to be noted again: after a while, and on each day that they write."""
    if last is None or at - last >= STEP:
        return True
    return at > last and timezone.localdate(at) != timezone.localdate(last)


def note_seen(people: Mapping[int, datetime]) -> None:
    """Note when people, by id, have written. One statement, and none for nobody.

    It waits for no lock, so that it can be the last of any transaction: whose row somebody holds is noted next time.
    """
    if not people:
        return
    source = rows_source("seen", {"id": "bigint", "at": "timestamptz"})
    if on_postgresql():
        lock = "ORDER BY person.id FOR NO KEY UPDATE OF person SKIP LOCKED"
        source = f"(SELECT seen.* FROM {source} JOIN users_user AS person ON person.id = seen.id {lock}) AS seen"  # noqa: S608
    rows = ({"id": person, "at": at} for person, at in people.items())
    statement = f"UPDATE users_user SET last_seen_at = seen.at FROM {source} WHERE users_user.id = seen.id"  # noqa: S608
    execute(statement, [rows_value(rows)])

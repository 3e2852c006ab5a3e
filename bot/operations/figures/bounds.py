"""Find a time's place among the ids of a table that is written in the order of time and has no index on it."""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models

from config.db.sql import time_value

# So near the place is found: whoever asks compares the times of so many rows more than there are.
NEAR = 10_000
# Rows that are written at once get their times and their ids in either order.
MARGIN = timedelta(minutes=10)
# A binary search over the primary key: two rows are read for each halving. (Only names of columns are put in.)
PLACE = """
    WITH RECURSIVE place(low, high) AS (
        SELECT (SELECT min(id) FROM {table}), (SELECT max(id) + 1 FROM {table})
        UNION ALL
        SELECT
            CASE WHEN (SELECT {column} FROM {table} WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1) < %s
                THEN (low + high) / 2 ELSE low END,
            CASE WHEN (SELECT {column} FROM {table} WHERE id >= (low + high) / 2 ORDER BY id LIMIT 1) < %s
                THEN high ELSE (low + high) / 2 END
        FROM place WHERE high - low > {near})
    SELECT low, high FROM place ORDER BY high - low LIMIT 1
"""


def ids_between(
    model: "type[models.Model]", column: str, start: datetime, end: datetime | None
) -> tuple[int | None, int | None]:
    """Return (first, last) ids that hold every row from start to before end, and not many more; last is excluded.

    None: no bound. The table's rows must have been written in the order of their times, or be few (NEAR).
    """
    first, _ = _place(model, column, start - MARGIN)
    last = None if end is None else _place(model, column, end + MARGIN)[1]
    return first, last


def _place(model: "type[models.Model]", column: str, moment: datetime) -> tuple[Any, Any]:
    statement = PLACE.format(table=model._meta.db_table, column=column, near=NEAR)
    with connection.cursor() as cursor:
        cursor.execute(statement, [time_value(moment)] * 2)
        found: tuple[Any, Any] = cursor.fetchone()
    return found

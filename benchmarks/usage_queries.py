"""Time the questions about usage in the database that DATABASE_URL names: `python -m benchmarks.usage_queries`.

Each is asked in turns with the plain SQL of the same question, through the driver. Prints JSON: for each question the
milliseconds of both, each time but the first, and how many queries it takes.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import django

from benchmarks.usage_questions import ONCE, Question, questions


def main() -> None:
    """Ask everything and print what it took."""
    django.setup()
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    found = {}
    for question in questions():
        with CaptureQueriesContext(connection) as queries:
            question.ask()
        count = len(queries)  # (A request, later, empties what this counts.)
        rounds = [(timed(question.ask), timed(partial(plain, question))) for _ in range(1 + question.times)]
        ours, baseline = zip(*rounds[1:], strict=True)
        found[question.name] = {"ms": ours, "plain_ms": baseline, "queries": count}
    json.dump(found, sys.stdout)


def plain(question: Question) -> None:
    """Ask in plain SQL, through the driver."""
    from django.db import connection

    connection.ensure_connection()
    driver: Any = connection.connection
    if connection.vendor == "postgresql" and question.times <= ONCE:
        # In one statement a year takes longer than Parley lets any take.
        driver.execute("SET statement_timeout = 0")
    sql, parameters = question.sql, question.parameters
    if connection.vendor == "sqlite":
        sql = sql.replace("%s", "?")
        parameters = tuple(
            connection.ops.adapt_datetimefield_value(p) if isinstance(p, datetime) else p for p in parameters
        )
    cursor = driver.cursor()
    cursor.execute(sql, parameters)
    cursor.fetchall()
    cursor.close()


def timed(work: Callable[[], Any]) -> float:
    """Return how many milliseconds it takes."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1_000


if __name__ == "__main__":
    main()

"""What questions about a million usage records take, beside the plain SQL of the same questions."""

import json
import time
from statistics import median
from typing import Any

from benchmarks.databases import fresh
from benchmarks.figures import Check, Part, percentile
from benchmarks.processes import Run, environment, python, seed
from benchmarks.usage_rows import UNPRICED_SHARE, fill

RECORDS = 1_000_000
PEOPLE = 10_000
DAYS = 365
LIMIT_SECONDS = 900
COLUMNS = ("median ms", "p95 ms", "plain SQL ms", "times", "queries")


def measure(run: Run, kind: str) -> Part:
    """Fill a database with a year of usage and ask the questions."""
    with fresh(kind, "usage", run.directory) as database:
        seed(database, 0, PEOPLE)
        began = time.monotonic()
        fill(database, RECORDS, PEOPLE, DAYS, time.time())
        filled = time.monotonic() - began
        env = environment(database, DAILY_BUDGET_USD="1000000")
        asked: dict[str, Any] = json.loads(python("-m", "benchmarks.usage_queries", env=env, seconds=LIMIT_SECONDS))
        counted = (database.count("usage_usagerecord"), database.count("usage_dailyspend"))
    rows = {name: row_of(figures) for name, figures in asked.items()}
    problems = [] if counted[0] == RECORDS else [f"{counted[0]:,} records instead of {RECORDS:,}"]
    notes = [
        f"{counted[0]:,} records of {PEOPLE:,} people in {DAYS} days and {counted[1]:,} daily spends, "
        f"stored in {filled:.0f} s; records without a price: 1 in {UNPRICED_SHARE}"
    ]
    checks = [
        Check("a person's day, p95", rows["a person's day"][1], "ms", at_most=10),
        Check("everybody's day, p95", rows["everybody's day"][1], "ms", at_most=50),
        Check("the busiest person's 30 days / plain SQL", rows["the busiest person's 30 days, by day and model"][3]),
        Check("usage_report, 30 days / plain SQL", rows["usage_report, 30 days"][3]),
    ]
    return Part("usage", kind, COLUMNS, rows, checks, notes, problems, details=asked)


def row_of(figures: dict[str, Any]) -> list[float]:
    """Return a question's figures in the order of COLUMNS."""
    ours, plain = median(figures["ms"]), median(figures["plain_ms"])
    return [ours, percentile(figures["ms"], 95), plain, ours / plain, figures["queries"]]

"""What the operator's desk takes after a busy month: every page that can be reached in it, each list in every way."""

import json
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.databases import POSTGRESQL, fresh
from benchmarks.desk_rows import fill
from benchmarks.figures import BenchmarkError, Check, Part
from benchmarks.processes import Run, environment, python, seed

LIMIT_SECONDS = 3_600
# What the server may take for a page.
MOST_MS = 300
COLUMNS = ("pages", "queries", "in SQL ms", "CPU ms", "median ms", "worst ms", "of limit")
TABLES = (
    *("bot_inboundmessage", "bot_outboundmessage", "conversations_message", "conversations_conversation"),
    *("users_user", "usage_usagerecord", "usage_dailyspend", "users_auditentry", "bot_accessrequest"),
)


def measure(run: Run, kind: str) -> Part:
    """Fill a database with a month and ask for the pages."""
    if kind != POSTGRESQL:
        raise BenchmarkError("a desk of this size is measured on PostgreSQL")
    with fresh(kind, "desk", run.directory) as database:
        began = time.monotonic()
        seed(database, 0, 0)
        fill(database.run, run.messages)
        # What autovacuum would do within minutes.
        database.run("VACUUM ANALYZE")
        filled = time.monotonic() - began
        said = python("-m", "benchmarks.desk_pages", env=environment(database), seconds=LIMIT_SECONDS)
        found: dict[str, Any] = json.loads(said)
        sizes = ", ".join(f"{database.count(table):,} in {table}" for table in TABLES)
    return part_of(kind, found, [f"{sizes}; stored in {filled:.0f} s"])


def part_of(kind: str, found: dict[str, Any], notes: list[str]) -> Part:
    """Return the figures: a row for each list and sort of page, of the slowest of its pages."""
    pages: list[dict[str, Any]] = found["pages"]
    over = sorted((page for page in pages if median(page["ms"]) > MOST_MS), key=lambda page: -median(page["ms"]))
    notes += [
        f"over {MOST_MS} ms: {page['path']} ({median(page['ms']):.0f} ms, {page['queries']} queries)" for page in over
    ]
    slowest = max(pages, key=lambda page: float(median(page["ms"])))
    lists = [median(page["ms"]) for page in pages if page["sort"] == "list"]
    inbox = next(page for page in pages if page["path"] == found["plain"]["path"])
    checks = [
        Check("the slowest page", median(slowest["ms"]), "ms", at_most=MOST_MS),
        Check("the slowest of the lists as they open", max(lists), "ms", at_most=MOST_MS),
        Check("pages over the limit", len(over), "pages", at_most=0),
        Check("the inbox / the same as Django counts and pages", median(inbox["ms"]) / median(found["plain"]["ms"])),
    ]
    return Part("desk", kind, COLUMNS, dict(rows_of(pages)), checks, notes, details=found)


def rows_of(pages: list[dict[str, Any]]) -> Iterator[tuple[str, list[float]]]:
    """Yield a label and its figures for each list and sort of page."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for page in pages:
        groups.setdefault((page["owner"], page["sort"]), []).append(page)
    for (owner, sort), group in groups.items():
        worst = max(group, key=lambda page: float(median(page["ms"])))
        query = worst["path"].partition("?")[2] if len(group) > 1 else ""
        label = f"{owner} {sort}{f' ({query[:60]})' if query else ''}"
        ms = median(worst["ms"])
        times = [worst["sql_ms"], median(worst["cpu_ms"]), ms, max(worst["ms"])]
        yield label, [len(group), worst["queries"], *times, ms / MOST_MS]

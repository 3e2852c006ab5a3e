"""Whether the work of a message costs as much with a million rows as with a thousand."""

import json
from statistics import median
from typing import Any

from benchmarks.databases import POSTGRESQL, fresh
from benchmarks.desk_rows import fill
from benchmarks.figures import BenchmarkError, Check, Part
from benchmarks.processes import Run, environment, python, seed

FEW = 1_000
LIMIT_SECONDS = 600
MOST = 1.5


def measure(run: Run, kind: str) -> Part:
    """Fill two databases, and time claims, intake and statuses in each."""
    if kind != POSTGRESQL:
        raise BenchmarkError("growth is measured on PostgreSQL")
    found: dict[int, dict[str, Any]] = {}
    for size in (FEW, run.messages):
        with fresh(kind, f"growth{size}", run.directory) as database:
            seed(database, 0, 0)
            fill(database.run, size)
            # What autovacuum would do within minutes.
            database.run("VACUUM ANALYZE")
            said = python("-m", "benchmarks.growth_run", env=environment(database), seconds=LIMIT_SECONDS)
            found[size] = json.loads(said)
    rows, checks = {}, []
    for name, few in found[FEW].items():
        many = found[run.messages][name]
        ratio = median(many["cpu_ms"]) / median(few["cpu_ms"])
        rows[name] = [median(times) for times in (few["cpu_ms"], few["ms"], many["cpu_ms"], many["ms"])]
        checks.append(Check(f"CPU: {name}, {run.messages:,} rows / {FEW:,}", ratio, at_most=MOST))
    columns = [f"{size:,}: {what} ms" for size in (FEW, run.messages) for what in ("CPU", "whole")]
    notes = ["rows: in the inbox, and as many in the outbox; CPU with that of the database connection; medians"]
    return Part("growth", kind, columns, rows, checks, notes, details={str(size): each for size, each in found.items()})

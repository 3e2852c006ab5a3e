"""Check that a webhook and a message cost no more instructions and SQL statements than when they were last accepted.

`python -m benchmarks.steady_check` compares with benchmarks/baseline.json and ends with 1 where something is over it;
`--accept` writes what was counted there. Nothing is timed: valgrind counts, on SQLite, each work in one process.
"""

import argparse
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import baseline
from benchmarks.counted.callgrind import Counted, count, missing
from benchmarks.counted.sizes import PARTS
from benchmarks.databases import SQLITE, fresh
from benchmarks.figures import BenchmarkError
from benchmarks.processes import environment, seed

# Above that it is no noise: two runs differ by less than one percent.
MOST_GROWTH = 0.05
SECTION = "counted"
# The messages become available part by part, when the work says so.
LATER_SECONDS = 100_000.0


def main() -> int:
    """Count, compare, and say what to do."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steady_check", description=__doc__)
    parser.add_argument("works", nargs="*", metavar="work", help="webhooks, turns (default: both)")
    parser.add_argument("--accept", action="store_true", help="write what is counted to the baseline")
    options = parser.parse_args()
    if program := missing():
        print(f"Not checked: {program} is not installed (Debian: apt install valgrind).", file=sys.stderr)
        return 2
    works = options.works or ["webhooks", "turns"]
    try:
        # Others on the machine change nothing, so both are counted at once.
        with ThreadPoolExecutor() as pool:
            counted = dict(zip(works, pool.map(count_work, works), strict=True))
    except BenchmarkError as error:
        print(f"Nothing was counted: {error}", file=sys.stderr)
        return 1
    for name, found in counted.items():
        print(f"{name}: {found.instructions:,.0f} instructions and {found.statements:.2f} SQL statements each")
    if options.accept:
        accepted = baseline.read().get(SECTION, {}).get(interpreter(), {})
        values = {
            name: {"instructions": round(c.instructions), "statements": c.statements} for name, c in counted.items()
        }
        baseline.accept(SECTION, interpreter(), {**accepted, **values})
        print(f"Written to {baseline.PATH.name}: commit it together with what has changed the figures.")
        return 0
    return compare(counted, baseline.read().get(SECTION, {}).get(interpreter()))


def count_work(name: str) -> Counted:
    """Count a work in a database of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="parley-counted-") as directory,
        fresh(SQLITE, name, Path(directory)) as own,
    ):
        seed(own, 0, sum(PARTS), LATER_SECONDS if name == "turns" else None)
        return count(name, environment(own, RATE_LIMIT_PER_USER="100000"), Path(directory))


def interpreter() -> str:
    """Return what decides how many instructions the same code takes."""
    return f"{platform.machine()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


def compare(counted: dict[str, Counted], accepted: dict[str, Any] | None) -> int:
    """Say what is over the baseline and what to do about it; return 1 if anything is."""
    if accepted is None:
        print(f"NOT COMPARED: {baseline.PATH.name} has no figures for {interpreter()}. Add them: {command('--accept')}")
        return 0
    over = list(exceeded(counted, accepted))
    for line in over:
        print(f"OVER: {line}", file=sys.stderr)
    if over:
        print(
            f"More than {MOST_GROWTH:.0%} above what was accepted. Look for what is done more often than before: "
            "`git diff`, and the functions in callgrind's file (docs/benchmarks.md). If it is worth its price, run\n"
            f"  {command('--accept')}\nand commit {baseline.PATH.name} with a word about why.",
            file=sys.stderr,
        )
    return 1 if over else 0


def exceeded(counted: dict[str, Counted], accepted: dict[str, Any]) -> Iterator[str]:
    """Yield each figure that is over its baseline."""
    for name, found in counted.items():
        for what in ("instructions", "statements"):
            now, before = getattr(found, what), accepted.get(name, {}).get(what)
            if before is not None and now > before * (1 + MOST_GROWTH):
                yield f"{name}: {now:,.2f} {what} each, {now / before - 1:+.1%} of {before:,.2f}"


def command(option: str) -> str:
    """Return what to type."""
    return f".venv/bin/python -m benchmarks.steady_check {option}"


if __name__ == "__main__":
    sys.exit(main())

"""The command: `python -m benchmarks [ack|busy|turn|… or quick] [--database sqlite|postgres|both] …`."""

import argparse
import platform
import shlex
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from benchmarks import quick
from benchmarks.databases import POSTGRESQL, SQLITE, postgres_problem
from benchmarks.figures import BenchmarkError
from benchmarks.machine import allow_files
from benchmarks.processes import Run
from benchmarks.registry import CASES, NAMED_ONLY, ON_POSTGRES_ONLY, PARTS, WITHOUT_DATABASE
from benchmarks.report import Report
from benchmarks.servers import procfile_flags

RESULTS = Path(__file__).resolve().parent / "results"
KINDS = {"sqlite": (SQLITE,), "postgres": (POSTGRESQL,), "both": (SQLITE, POSTGRESQL)}
QUICK = "quick"
FILES = 30_000


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    default = ", ".join(name for name in PARTS if name not in NAMED_ONLY)
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="part",
        help=f"{default} (default: all of these), {', '.join(NAMED_ONLY)}; or {QUICK}: the ratios within three minutes",
    )
    parser.add_argument("--database", choices=KINDS, default="both")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a round of requests, and before purge")
    parser.add_argument("--rounds", type=int, help="rounds of a part (default: 7 of ack, 3 to 5 of others)")
    parser.add_argument("--server", metavar="FLAGS", help="granian's flags of web, quoted (default: the Procfile's)")
    parser.add_argument("--profile", action="store_true", help="sample the worker of turn with py-spy")
    parser.add_argument(
        "--messages", type=int, default=1_000_000, help="how many purge deletes, desk lists, and growth grows to"
    )
    parser.add_argument("--hold", type=float, default=60.0, help="seconds of each case of held")
    parser.add_argument("--case", action="append", choices=CASES, help="a case of held (default: each, then together)")
    parser.add_argument("--minutes", type=float, default=20.0, help="length of soak")
    parser.add_argument("--accept", action="store_true", help=f"{QUICK}: write what is measured to the baseline")
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys() - {QUICK}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    if QUICK in options.parts and len(options.parts) > 1:
        parser.error(f"{QUICK} stands alone")
    if min(options.seconds, options.hold) <= 0 or (options.rounds is not None and options.rounds < 1):
        parser.error("--seconds, --rounds and --hold must be positive")
    if options.minutes < 0.5:
        parser.error("--minutes must be at least 0.5")
    if options.messages < 1_000:
        parser.error("--messages must be at least 1000")
    return options


def main() -> int:
    """Measure what was asked for; return 1 if anything was lost, doubled or could not be measured."""
    options = arguments()
    if platform.system() != "Linux":
        sys.stderr.write("The benchmarks read /proc: they need Linux.\n")
        return 1
    # So that a stopped run ends its processes and drops its databases as a finished one does.
    signal.signal(signal.SIGTERM, interrupted)
    RESULTS.mkdir(exist_ok=True)
    allow_files(FILES)
    report = Report(procfile_flags("web") if options.server is None else tuple(shlex.split(options.server)))
    kinds = KINDS[options.database]
    if POSTGRESQL in kinds and (problem := postgres_problem()):
        report.skipped(f"PostgreSQL: {problem}")
        kinds = tuple(kind for kind in kinds if kind != POSTGRESQL)
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as directory:
        run = Run(
            directory=Path(directory),
            results=RESULTS,
            server=report.server,
            seconds=options.seconds,
            rounds=options.rounds,
            profile=options.profile,
            messages=options.messages,
            hold=options.hold,
            cases=tuple(options.case or ()),
            minutes=options.minutes,
        )
        if options.parts == [QUICK]:
            quick.measure(run, kinds, report, accept=options.accept)
        else:
            measure(run, kinds, options.parts or [name for name in PARTS if name not in NAMED_ONLY], report)
    report.save(RESULTS)
    return 1 if report.untrustworthy else 0


def measure(run: Run, kinds: tuple[str, ...], names: list[str], report: Report) -> None:
    """Measure parts on the databases each is for."""
    for name in names:
        for kind in databases_of(name, kinds):
            own = run.directory / f"{name}-{kind}"
            own.mkdir()
            try:
                report.measured(PARTS[name](replace(run, directory=own), kind))
            except BenchmarkError as error:
                report.failed(f"{name} · {kind}: {error}")


def databases_of(name: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a part is measured on, of the kinds that are there and asked for."""
    if name in WITHOUT_DATABASE:
        return ("no database",)
    return tuple(kind for kind in kinds if kind == POSTGRESQL) if name in ON_POSTGRES_ONLY else kinds


def interrupted(number: int, frame: FrameType | None) -> NoReturn:
    """Leave every block, each of which ends what it started."""
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main())

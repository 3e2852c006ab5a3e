"""The command: `python -m benchmarks [ack|turn|usage|logging …] [--database sqlite|postgres|both] …`."""

import argparse
import platform
import shlex
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import NoReturn

from benchmarks.databases import POSTGRESQL, SQLITE, postgres_problem
from benchmarks.figures import BenchmarkError
from benchmarks.parts import ack, desk, inflight, loglines, pickup, purge, turn, usage
from benchmarks.processes import Run, procfile_flags
from benchmarks.report import Report

PARTS = {
    "ack": ack.measure,
    "turn": turn.measure,
    "inflight": inflight.measure,
    "pickup": pickup.measure,
    "usage": usage.measure,
    "purge": purge.measure,
    "desk": desk.measure,
    "logging": loglines.measure,
}
# They ask no database: once is enough.
WITHOUT_DATABASE = {"logging"}
# Of the size that it is measured with, SQLite is none that anybody runs.
ON_POSTGRES_ONLY = {"desk"}
RESULTS = Path(__file__).resolve().parent / "results"
KINDS = {"sqlite": (SQLITE,), "postgres": (POSTGRESQL,), "both": (SQLITE, POSTGRESQL)}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument("--database", choices=KINDS, default="both")
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="length of one round of ack, and of webhooks before purge"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds of ack, turn and purge")
    parser.add_argument("--server", metavar="FLAGS", help="granian's flags, quoted (default: those of the Procfile)")
    parser.add_argument("--profile", action="store_true", help="sample the worker of turn with py-spy")
    parser.add_argument(
        "--messages", type=int, default=1_000_000, help="how many expired messages purge deletes, and desk lists"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    if options.seconds <= 0 or options.rounds < 1:
        parser.error("--seconds and --rounds must be positive")
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
    server = procfile_flags() if options.server is None else tuple(shlex.split(options.server))
    report = Report(server)
    kinds = KINDS[options.database]
    if POSTGRESQL in kinds and (problem := postgres_problem()):
        report.skipped(f"PostgreSQL: {problem}")
        kinds = tuple(kind for kind in kinds if kind != POSTGRESQL)
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as directory:
        for name in [name for name in PARTS if not options.parts or name in options.parts]:
            for kind in databases_of(name, kinds):
                own = Path(directory) / f"{name}-{kind}"
                own.mkdir()
                run = Run(own, RESULTS, options.seconds, options.rounds, server, options.profile, options.messages)
                try:
                    report.measured(PARTS[name](run, kind))
                except BenchmarkError as error:
                    report.failed(f"{name} · {kind}: {error}")
    report.save(RESULTS)
    return 1 if report.untrustworthy else 0


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

"""Run Parley while everything fails: `python -m bot.tests.system.chaos --mode kills --kills 300 --database both`."""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import django

# Before anything that has models. Nothing of the developer's shell may reach the processes under test.
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings_test"
for _name in ("DATABASE_URL", "REDIS_URL"):
    os.environ.pop(_name, None)
django.setup()

from bot.tests.system.chaos import systems  # noqa: E402
from bot.tests.system.chaos.figures import Figures  # noqa: E402
from bot.tests.system.chaos.plan import CHANNEL_DELAYS, MODEL_DELAYS, Plan  # noqa: E402
from bot.tests.system.chaos.run import Run  # noqa: E402
from bot.tests.system.chaos.table import table  # noqa: E402
from bot.tests.system.faults.servers import PostgresServer, RedisServer  # noqa: E402


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bot.tests.system.chaos", description=__doc__)
    parser.add_argument("--mode", choices=("kills", "rolling"), default="kills")
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--kills", type=int, default=300, help="processes to kill (mode kills)")
    parser.add_argument("--seconds", type=float, help="the load ends then at the latest (1200; rolling: 60)")
    parser.add_argument("--rate", type=float, default=18.0, help="messages a second")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), help="printed, to repeat the choices")
    parser.add_argument("--json", type=Path, help="file to write all figures to")
    parser.add_argument("--keep", action="store_true", help="keep logs and rows also when nothing was wrong")
    return parser.parse_args()


def plan(options: argparse.Namespace) -> Plan:
    """Return what the command line asks for."""
    if options.mode == "rolling":
        return Plan(
            "rolling", options.seed, options.seconds or 60.0, workers=2, rate=options.rate,
            model=MODEL_DELAYS, channel=CHANNEL_DELAYS,
        )  # fmt: skip
    return Plan("kills", options.seed, options.seconds or 1_200.0, kills=options.kills, rate=options.rate)


def run(database: str, wanted: Plan, keep: bool) -> tuple[Figures, bool]:
    """Run once and return the figures, and whether all promises were kept; if not, everything is left for a look."""
    folder = Path(tempfile.mkdtemp(prefix=f"parley-chaos-{database}-"))
    good = False
    sys.stdout.write(f"\n{wanted.mode} on {database}, seed {wanted.seed} ({folder})\n")
    try:
        with systems.own_servers(database, folder, wanted) as (fleet, outages):
            figures = asyncio.run(Run(wanted, fleet, outages)())
            figures.database = database
            good = not figures.problems()
            if keep or not good:
                systems.keep(fleet)
    finally:
        if good and not keep:
            shutil.rmtree(folder)
        else:
            sys.stdout.write(f"Kept: {folder}\n")
    return figures, good


def main() -> int:
    """Run on each database asked for, print one table and return the exit code."""
    options = arguments()
    # As Ctrl-C does: processes and servers are ended on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    databases = ("sqlite", "postgres") if options.database == "both" else (options.database,)
    if reason := RedisServer.reason_to_skip() or ("postgres" in databases and PostgresServer.reason_to_skip()):
        sys.stderr.write(f"{reason}\n")
        return 2
    results = [run(database, plan(options), options.keep) for database in databases]
    all_figures = [figures for figures, _ in results]
    sys.stdout.write(f"\n{table(all_figures)}\n")
    for figures in all_figures:
        sys.stdout.writelines(f"{figures.database}: {problem}\n" for problem in figures.problems())
    if options.json:
        options.json.write_text(json.dumps([figures.as_json() for figures in all_figures], indent=2) + "\n")
    return 0 if all(good for _, good in results) else 1


if __name__ == "__main__":
    sys.exit(main())

"""python -m bot.tests.system.fuzzing: post hostile payloads, count answers and rows, fail on a 5xx or stuck row."""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

DATABASES = ("sqlite", "postgres")
SERVER = "postgres://postgres@127.0.0.1:5432/"
MOST_FAILURES_SHOWN = 20


def main() -> int:
    """Run as the command line says and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bot.tests.system.fuzzing", description=__doc__)
    parser.add_argument("--payloads", type=int, default=100_000, help="how many (100,000)")
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="sqlite")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**9), help="repeats a run; random by default")
    parser.add_argument("--first", type=int, default=0, help="number of the first payload: --payloads 1 repeats one")
    options = parser.parse_args()
    if options.database == "both":
        common = (f"--payloads={options.payloads}", f"--seed={options.seed}", f"--first={options.first}")
        return max(_as_process(f"--database={kind}", *common) for kind in DATABASES)
    return _run(options.database, options.payloads, options.seed, options.first)


def _as_process(*arguments: str) -> int:
    # Settings are a process's for good: each database needs one.
    return subprocess.run([sys.executable, "-m", "bot.tests.system.fuzzing", *arguments], check=False).returncode


def _run(database: str, payloads: int, seed: int, first: int) -> int:
    os.environ.update(_environment(database))
    os.environ.pop("REDIS_URL", None)
    import django

    django.setup()
    from bot.tests.system.fuzzing import campaign

    say(f"{payloads:,} payloads, {database}, seed {seed}")
    result = campaign.in_own_database(payloads, seed, first, say)
    _show("answers", [f"{status}: {count:,}" for status, count in sorted(result.statuses.items())])
    _show("rows", [f"{state}: {count:,}" for state, count in result.states.items()])
    failed = sum(count for status, count in result.statuses.items() if status >= 500)
    say(f"5xx: {failed}; failures: {len(result.failures)}; seed {seed}")
    wall, cpu = (payloads / max(seconds, 0.001) for seconds in (result.post_seconds, result.post_cpu_seconds))
    say(f"{wall:,.0f} payloads/s posted ({result.post_seconds:.0f} s), {cpu:,.0f} per second of this process's CPU")
    say(f"answered by a worker in {result.answer_seconds:.0f} s")
    _show("FAILURES (repeat one: --seed … --first NUMBER --payloads 1)", result.failures[:MOST_FAILURES_SHOWN])
    return 1 if result.failures else 0


def _environment(database: str) -> dict[str, str]:
    name = f"parley_fuzz_{os.getpid()}"
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        server = SERVER
    urls = {
        "sqlite": f"sqlite:///{Path(tempfile.gettempdir()) / name}.sqlite3",
        "postgres": urlunsplit(urlsplit(server)._replace(path=f"/{name}")),
    }
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings_test",
        "DATABASE_URL": urls[database],
        "LOG_LEVEL": "ERROR",
        # Everybody writes thousands of messages a minute here.
        "RATE_LIMIT_PER_USER": "100000",
    }


def _show(title: str, lines: Sequence[str]) -> None:
    if lines:
        say(title + ":\n" + "\n".join(f"  {line}" for line in lines))


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

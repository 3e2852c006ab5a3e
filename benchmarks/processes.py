"""Start the processes that are measured, each with an environment of the run's own, and end what was started."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.databases import Database
from benchmarks.figures import BenchmarkError
from config.environment.variables import VARIABLES

PROJECT = Path(__file__).resolve().parents[1]
STOP_SECONDS = 40
SEED_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Run:
    """What every part is told: where files go, how long and how often to measure, and what is varied.

    results: where profiles are kept. seconds: length of one round of requests. rounds: None for the part's own number.
    server: granian's flags for the front. messages: how many `purge` deletes, `desk` lists and `growth` grows to. hold:
    seconds of each case of `held`; cases: which of them, none for all. minutes: length of `soak`. chats: of `turn`.
    """

    directory: Path
    results: Path
    server: tuple[str, ...]
    seconds: float = 5.0
    rounds: int | None = None
    profile: bool = False
    messages: int = 1_000_000
    hold: float = 60.0
    cases: tuple[str, ...] = ()
    minutes: float = 20.0
    chats: int = 3_000


@dataclass(frozen=True, slots=True)
class Running:
    """A process we started; port is 0 where it listens on none, log is what it wrote to stderr."""

    pid: int
    port: int
    log: Path


def environment(database: Database | None = None, **variables: str) -> dict[str, str]:
    """Return this process's environment without any of Parley's variables, with those of a run."""
    declared = {name for variable in VARIABLES for name in (variable.name, f"{variable.name}_FILE")}
    kept = {name: value for name, value in os.environ.items() if name not in declared}
    # Not development, where a .env file is read and queries are kept; production would need Redis.
    own = {
        "ENVIRONMENT": "test",
        "LLM_PROVIDER": "demo",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUNBUFFERED": "1",
        "LOG_FORMAT": "json",
    }
    return {**kept, **own, **({"DATABASE_URL": database.url} if database else {}), **variables}


def python(*words: str, env: Mapping[str, str], seconds: float) -> str:
    """Run `python <words>` to its end and return what it printed.

    Raises:
        BenchmarkError: it failed, or took longer than that.
    """
    try:
        done = subprocess.run(
            [sys.executable, *words], cwd=PROJECT, env=env, timeout=seconds, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        raise BenchmarkError(f"{' '.join(words[:2])}: not done within {seconds:g} s") from None
    if done.returncode:
        raise BenchmarkError(f"{' '.join(words[:2])} failed:\n{done.stderr[-2_000:]}")
    return done.stdout


def seed(database: Database, first: int, count: int, pending_in: float | None = None) -> float:
    """Fill the database (see benchmarks.seed) and return when pending messages become available, 0.0 without any."""
    words = [] if pending_in is None else ["--pending-in", str(pending_in)]
    said = python(
        "-m", "benchmarks.seed", str(first), str(count), *words, env=environment(database), seconds=SEED_SECONDS
    )
    return float(said or 0.0)


@contextmanager
def running(name: str, command: Sequence[str], run: Run, env: Mapping[str, str], port: int = 0) -> Iterator[Running]:
    """Run a command until the block is left."""
    log = run.directory / f"{name}.log"
    with log.open("w") as output:
        # A session of its own: should its parent have to be killed, its children (and nobody else's) go with it.
        process = subprocess.Popen(
            command, cwd=PROJECT, env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        yield Running(process.pid, port, log)
        if process.poll() is not None:
            raise BenchmarkError(f"{name} ended by itself:\n{log.read_text()[-2_000:]}")
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

"""Start the processes that are measured, each with an environment of the run's own, and end what was started."""

import http.client
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.databases import Database
from benchmarks.figures import BenchmarkError
from benchmarks.machine import free_port, wait_until
from config.variables import VARIABLES

PROJECT = Path(__file__).resolve().parents[1]
START_SECONDS = 30
STOP_SECONDS = 40
SEED_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Run:
    """What every part is told: where files go, how long and how often to measure, and what is varied.

    seconds: length of one round of `ack`. server: granian's flags. results: where profiles are kept. messages: how many
    `purge` deletes, and `desk` lists.
    """

    directory: Path
    results: Path
    seconds: float
    rounds: int
    server: tuple[str, ...]
    profile: bool = False
    messages: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Running:
    """A process we started; port is 0 where it listens on none, log is what it wrote to stderr."""

    pid: int
    port: int
    log: Path


def procfile_flags() -> tuple[str, ...]:
    """Return granian's flags of the Procfile, without address and application: what is measured is what ships."""
    lines = (PROJECT / "Procfile").read_text().splitlines()
    words = shlex.split(next(line for line in lines if line.startswith("web:")))
    flags = words[words.index("granian") + 1 : -1]
    for name in ("--interface", "--host", "--port"):
        position = flags.index(name)
        del flags[position : position + 2]
    return tuple(flags)


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


@contextmanager
def served(name: str, command: Sequence[str], run: Run, env: Mapping[str, str]) -> Iterator[Running]:
    """Run a web server (`{port}` in the command is its port) that answers when the block begins."""
    port = free_port()
    with running(name, [word.format(port=port) for word in command], run, env, port) as server:
        wait_until(lambda: answers(port), START_SECONDS, f"{name} starts (see {server.log})")
        yield server


def granian(run: Run, application: str) -> list[str]:
    """Return the command that serves a WSGI application with the run's flags."""
    address = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}"]
    return [sys.executable, "-m", "granian", *address, *run.server, application]


@contextmanager
def web(run: Run, database: Database) -> Iterator[Running]:
    """Run Parley's web process."""
    address = ["--interface", "rsgi", "--host", "127.0.0.1", "--port", "{port}"]
    command = [sys.executable, "-m", "granian", *address, *run.server, "config.rsgi:application"]
    with served("web", command, run, environment(database)) as server:
        yield server


@contextmanager
def worker(run: Run, database: Database, model_url: str, channel_url: str, concurrency: int = 100) -> Iterator[Running]:
    """Run one worker process against the stand-ins; it waits for messages when the block begins."""
    env = environment(
        database,
        LLM_PROVIDER="openai",
        OPENAI_BASE_URL=f"{model_url}/v1",
        WHATSAPP_API_URL=f"{channel_url}/v26.0",
        RATE_LIMIT_PER_USER="100000",
    )
    command = [sys.executable, "manage.py", "runworker", "--concurrency", str(concurrency)]
    with running("worker", command, run, env) as process:
        wait_until(lambda: "worker_started" in process.log.read_text(), START_SECONDS, "the worker starts")
        yield process


def answers(port: int) -> bool:
    """Return whether a server answers HTTP there, whatever it says."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        client.request("GET", "/healthz")
        client.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()
    return True

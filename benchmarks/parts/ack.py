"""How fast a webhook is stored and answered: Parley beside the least that could do the same, in alternating rounds."""

import importlib.util
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.databases import POSTGRESQL, Database, fresh
from benchmarks.figures import Check, Part, medians
from benchmarks.machine import cpu_seconds
from benchmarks.payloads import WEBHOOK_PATH
from benchmarks.peers.table import CREATE, TABLE
from benchmarks.processes import Run, Running, environment, granian, python, seed, served, web

CONNECTIONS = 16
WARM_UP_SECONDS = 1.0
COLUMNS = ("requests/s", "p50 ms", "p95 ms", "p99 ms", "server CPU ms", "generator CPU ms")
PARLEY, BARE, FASTAPI = "Parley", "bare Django view", "FastAPI, asyncpg"
FASTAPI_MODULES = ("fastapi", "uvicorn", "asyncpg", "uvloop", "httptools")


@dataclass(frozen=True, slots=True)
class Contender:
    """A running server, and the table it stores messages in."""

    name: str
    server: Running
    database: Database
    table: str


def measure(run: Run, kind: str) -> Part:
    """Measure requests per second and latencies of each server on a database of this kind."""
    notes, problems = [f"{run.rounds} rounds of {run.seconds:g} s each in turn, {CONNECTIONS} connections; medians"], []
    rounds: dict[str, list[list[float]]] = {}
    with contenders(run, kind, notes) as servers:
        for contender in servers:
            play(contender, "-warm", WARM_UP_SECONDS)
        for number in range(run.rounds):
            for contender in servers:
                figures, problem = play(contender, f"-{number}", run.seconds)
                rounds.setdefault(contender.name, []).append(figures)
                problems += problem
    rows = {name: medians(figures) for name, figures in rounds.items()}
    return Part("ack", kind, COLUMNS, rows, checks(rows), notes, problems, details={"rounds": rounds})


def checks(rows: dict[str, list[float]]) -> list[Check]:
    """Return Parley's share of each peer's requests per second; only the bare view's has a threshold."""
    rate = {name: values[0] for name, values in rows.items()}
    found = [Check("Parley / bare Django view", rate[PARLEY] / rate[BARE], at_least=0.75, goal="0.9")]
    if FASTAPI in rate:
        found.append(Check("Parley / FastAPI", rate[PARLEY] / rate[FASTAPI]))
    return found


def play(contender: Contender, label: str, seconds: float) -> tuple[list[float], list[str]]:
    """Load one server for one round and return its figures, and what is wrong: each 200 must be a row."""
    before = contender.database.count(contender.table)
    cpu = cpu_seconds(contender.server.pid)
    said: dict[str, Any] = json.loads(
        python(
            *("-m", "benchmarks.generator", "--port", str(contender.server.port), "--path", WEBHOOK_PATH),
            *(
                "--prefix",
                f"{contender.name.split()[0]}{label}",
                "--connections",
                str(CONNECTIONS),
                "--seconds",
                str(seconds),
            ),
            env=environment(),
            seconds=seconds + 60,
        )
    )
    cpu = cpu_seconds(contender.server.pid) - cpu
    stored = contender.database.count(contender.table) - before
    accepted = said["statuses"].get("200", 0)
    answered = sum(said["statuses"].values())
    p50, p95, p99, _ = said["milliseconds"]
    figures = [
        accepted / said["seconds"], p50, p95, p99, cpu / answered * 1_000, said["cpu_seconds"] / answered * 1_000,
    ]  # fmt: skip
    problems = []
    if answered != accepted:
        problems.append(f"{contender.name}: {answered - accepted} requests were not answered with 200")
    if stored != accepted:
        problems.append(f"{contender.name}: {accepted} requests were answered with 200, {stored} rows were stored")
    return figures, problems


@contextmanager
def contenders(run: Run, kind: str, notes: list[str]) -> Iterator[Sequence[Contender]]:
    """Run all servers at once, on one database server; why one is left out is added to the notes."""
    with ExitStack() as stack:
        own = stack.enter_context(fresh(kind, "ack", run.directory))
        peers = stack.enter_context(fresh(kind, "peers", run.directory))
        seed(own, 0, 1)
        servers = [Contender(PARLEY, stack.enter_context(web(run, own)), own, "bot_inboundmessage")]
        if kind != POSTGRESQL:
            # Before anybody reads or writes: the mode is a property of the file.
            peers.run("PRAGMA journal_mode=WAL")
        peers.run(CREATE[kind])
        env = environment(peers, DJANGO_SETTINGS_MODULE="benchmarks.peers.bare_settings")
        bare = stack.enter_context(served("bare", granian(run, "benchmarks.peers.bare:application"), run, env))
        servers.append(Contender(BARE, bare, peers, TABLE))
        missing = [module for module in FASTAPI_MODULES if importlib.util.find_spec(module) is None]
        if kind != POSTGRESQL:
            notes.append("FastAPI left out: asyncpg speaks to PostgreSQL only")
        elif missing:
            notes.append(f"FastAPI left out: {', '.join(missing)} not installed (requirements-bench.txt)")
        else:
            app = stack.enter_context(served("fastapi", uvicorn(run), run, environment(peers)))
            servers.append(Contender(FASTAPI, app, peers, TABLE))
        yield servers


def uvicorn(run: Run) -> list[str]:
    """Return the command that serves the FastAPI peer with as many worker processes as granian has."""
    workers = run.server[run.server.index("--workers") + 1] if "--workers" in run.server else "1"
    options = ["--host", "127.0.0.1", "--port", "{port}", "--workers", workers, "--no-access-log"]
    loop = ["--loop", "uvloop", "--http", "httptools", "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", *options, *loop, "benchmarks.peers.fastapi_app:app"]

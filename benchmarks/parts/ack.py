"""How fast a webhook is stored and answered: Parley beside the least that could do the same, in alternating rounds."""

import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks.databases import POSTGRESQL, fresh
from benchmarks.figures import Check, Part, medians, ratio
from benchmarks.load import COLUMNS, CONNECTIONS, CPU, P99, RATE, Contender, play
from benchmarks.peers.table import CREATE, TABLE
from benchmarks.processes import Run, environment, seed
from benchmarks.rounds import rotated
from benchmarks.servers import front, plain_wsgi, served

ROUNDS = 7
WARM_UP_SECONDS = 1.0
PARLEY, BARE, FASTAPI = "Parley", "bare Django view", "FastAPI, asyncpg"
FASTAPI_MODULES = ("fastapi", "uvicorn", "asyncpg", "uvloop", "httptools")


def measure(run: Run, kind: str) -> Part:
    """Measure requests per second and latencies of each server on a database of this kind."""
    count = run.rounds or ROUNDS
    notes = [
        f"{count} rounds of {run.seconds:g} s each in turn, {CONNECTIONS} connections; medians, and medians of the "
        "ratio by round"
    ]
    problems: list[str] = []
    rounds: dict[str, list[list[float]]] = {}
    with contenders(run, kind, notes) as servers:
        for contender in servers:
            play(contender, "-warm", WARM_UP_SECONDS)
        for number in range(count):
            for contender in rotated(servers, number):
                figures, problem = play(contender, f"-{number}", run.seconds)
                rounds.setdefault(contender.name, []).append(figures)
                problems += problem
    rows = {name: medians(rounds[name]) for name in (contender.name for contender in servers)}
    return Part("ack", kind, COLUMNS, rows, checks(rounds), notes, problems, details={"rounds": rounds})


def checks(rounds: dict[str, list[list[float]]]) -> list[Check]:
    """Return Parley's share of each peer's figures; the CPU beside FastAPI's is the line that decides."""
    ours = rounds[PARLEY]
    found = []
    if FASTAPI in rounds:
        theirs = rounds[FASTAPI]
        found += [
            Check("server CPU a request: Parley / FastAPI", ratio(ours, theirs, CPU), at_most=1.0),
            Check("requests/s: Parley / FastAPI", ratio(ours, theirs, RATE), at_least=1.0, goal="1.3"),
            Check("p99: Parley / FastAPI", ratio(ours, theirs, P99), at_most=1.0),
        ]
    found += [
        Check("requests/s: Parley / bare Django view", ratio(ours, rounds[BARE], RATE), at_least=2.0),
        Check("p99: Parley / bare Django view", ratio(ours, rounds[BARE], P99), at_most=1.0),
    ]
    return found


@contextmanager
def contenders(run: Run, kind: str, notes: list[str]) -> Iterator[Sequence[Contender]]:
    """Run all servers at once, on one database server; why one is left out is added to the notes."""
    with ExitStack() as stack:
        own = stack.enter_context(fresh(kind, "ack", run.directory))
        peers = stack.enter_context(fresh(kind, "peers", run.directory))
        seed(own, 0, 1)
        servers = [Contender(PARLEY, stack.enter_context(front(run, own)), own, "bot_inboundmessage")]
        if kind != POSTGRESQL:
            # Before anybody reads or writes: the mode is a property of the file.
            peers.run("PRAGMA journal_mode=WAL")
        peers.run(CREATE[kind])
        env = environment(peers, DJANGO_SETTINGS_MODULE="benchmarks.peers.bare_settings")
        bare = stack.enter_context(served("bare", plain_wsgi("benchmarks.peers.bare:application"), run, env))
        servers.append(Contender(BARE, bare, peers, TABLE))
        missing = [module for module in FASTAPI_MODULES if importlib.util.find_spec(module) is None]
        if kind != POSTGRESQL:
            notes.append("FastAPI left out: asyncpg speaks to PostgreSQL only")
        elif missing:
            notes.append(f"FastAPI left out: {', '.join(missing)} not installed (requirements/bench.txt)")
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

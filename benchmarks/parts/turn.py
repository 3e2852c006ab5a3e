"""What a whole turn costs beside the one thing it cannot do without: the same model calls in a plain loop."""

import json
from functools import partial
from typing import Any

from benchmarks.databases import Database, fresh
from benchmarks.figures import Check, Part, medians, ratio
from benchmarks.machine import cpu_seconds
from benchmarks.parts.answers import differing
from benchmarks.parts.backlog import answer_backlog, ignore
from benchmarks.payloads import TEXT
from benchmarks.processes import Run, environment, python, seed
from benchmarks.profiling import Profile
from benchmarks.rounds import rotated
from benchmarks.standin_log import StandInLog
from bot.dev.standins.process import StandIn

ROUNDS = 3
CONCURRENCY = 100
LIMIT_SECONDS = 180
COLUMNS = ("per second", "CPU ms each", "stand-ins' CPU ms", "requests each")
WORKER, LOOP = "worker, messages", "loop, calls"


def measure(run: Run, kind: str) -> Part:
    """Measure messages per second of one worker against calls per second of one loop, in turns."""
    rounds: dict[str, list[list[float]]] = {WORKER: [], LOOP: []}
    profile = Profile(run, f"turn-{kind}") if run.profile else None
    count = run.rounds or ROUNDS
    with fresh(kind, "turn", run.directory) as database:
        seed(database, 0, 0)
        # Not counted: it leaves a database that has been used, with a past and statistics of it. In an empty one
        # PostgreSQL plans to read whole tables and keeps to it.
        _, problems = worker_round(run, database, range(run.chats), None)
        for number in range(count):
            people = range((number + 1) * run.chats, (number + 2) * run.chats)
            contenders = (
                (WORKER, partial(worker_round, run, database, people, profile)),
                (LOOP, partial(loop_round, run, number)),
            )
            for name, play in rotated(contenders, number):
                figures, problem = play()
                rounds[name].append(figures)
                problems += problem
    rows = {name: medians(figures) for name, figures in rounds.items()}
    notes = [
        f"{count} rounds of {run.chats:,} chats with a message each in turn, {CONCURRENCY} at once, a model of 0 ms; "
        "medians, and medians of the ratio by round",
        *(profile.report(rows[WORKER][1]) if profile else ()),
    ]
    checks = [
        Check("messages/s / calls/s", ratio(rounds[WORKER], rounds[LOOP], 0), at_least=0.55, goal="0.7"),
        Check("CPU of a message / of a call", ratio(rounds[WORKER], rounds[LOOP], 1), at_most=1.4, goal="1.2"),
    ]
    return Part("turn", kind, COLUMNS, rows, checks, notes, problems, details={"rounds": rounds})


def worker_round(
    run: Run, database: Database, people: range, profile: "Profile | None"
) -> tuple[list[float], list[str]]:
    """Let a worker answer the people and return its figures, and what is wrong."""
    watcher = profile.attach if profile else ignore
    result = answer_backlog(
        run, database, people, concurrency=CONCURRENCY, delay=0.0, limit=LIMIT_SECONDS, watcher=watcher
    )
    seconds = result.last_send - result.first_completion
    each = 1_000 / len(people)
    figures = [len(people) / seconds, result.cpu_seconds * each, result.standins_cpu_seconds * each]
    figures.append(result.requests / len(people))
    return figures, result.problems


def loop_round(run: Run, number: int) -> tuple[list[float], list[str]]:
    """Let the loop make as many calls and return its figures, and what is wrong."""
    log = run.directory / f"loop-{number}.jsonl"
    with StandIn.start("model", log=log) as model:
        said: dict[str, Any] = json.loads(
            python(
                *("-m", "benchmarks.sdk_loop", f"{model.url}/v1", str(run.chats), "--concurrency", str(CONCURRENCY)),
                env=environment(),
                seconds=LIMIT_SECONDS,
            )
        )
        standin = cpu_seconds(model.process.pid)
        calls = StandInLog(log).answered()[1:]  # without the one to warm up
    figures = [run.chats / said["seconds"], said["cpu_seconds"] / run.chats * 1_000, standin / run.chats * 1_000, 1.0]
    texts = (call["body"]["messages"][-1]["content"] for call in calls)
    return figures, differing("call", (f"{number}: {TEXT}" for number in range(run.chats)), texts)

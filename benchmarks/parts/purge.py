"""How fast a million expired messages go, beside one plain DELETE, and what everybody else notices of it meanwhile."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from statistics import median
from threading import Event
from typing import Any

from benchmarks.databases import POSTGRESQL, Database, copied, fresh
from benchmarks.figures import Check, Part, percentile
from benchmarks.load import Contender, paced, wrong
from benchmarks.processes import Run, environment, python, seed
from benchmarks.purge_rows import LIVE_SHARE, MESSAGES_EACH, fill
from benchmarks.purge_watch import APPLICATION, watch_locks, write_steadily
from benchmarks.servers import front

ROUNDS = 3
LIMIT_SECONDS = 600
COLUMNS = ("p50 ms", "p99 ms", "longest ms")
PURGE, PLAIN = "purge", "plain DELETE"
RATE = 50
WEBHOOKS = f"webhooks at {RATE}/s"


def measure(run: Run, kind: str) -> Part:
    """Purge copies of one database, in turns with a plain DELETE, and once more while webhooks come in."""
    with fresh(kind, "purge", run.directory) as original:
        seed(original, 0, 1_000)
        expired = fill(original, run.messages)
        gone = [expired, expired // MESSAGES_EACH]
        rounds, problems = compared(run, original, gone)
        watched, more = under_load(run, original, gone)
    notes = [
        f"{expired:,} expired messages of {gone[1]:,} conversations among {expired // (LIVE_SHARE - 1):,} that stay; "
        f"{run.rounds or ROUNDS} rounds each in turn, each on a copy of its own; medians"
    ]
    ratios = [plain / ours for ours, plain in zip(rounds[PURGE], rounds[PLAIN], strict=True)]
    wanted = 0.6 if kind == POSTGRESQL else None
    checks = [Check(name, expired / median(seconds), "messages/s") for name, seconds in rounds.items()]
    checks.append(Check(f"{PURGE} / {PLAIN}", median(ratios), at_least=wanted, goal="0.8" if wanted else ""))
    checks.append(Check(f"{PURGE} while webhooks come in", expired / watched["seconds"], "messages/s"))
    checks += limits(kind, watched["waits"])
    details = {"rounds": rounds, **watched}
    return Part("purge", kind, COLUMNS, watched["waits"], checks, notes, problems + more, details)


def limits(kind: str, waits: dict[str, list[float]]) -> list[Check]:
    """Return what a purge may cost others, in milliseconds."""
    checks = [Check(f"{WEBHOOKS} during a purge, p99", waits[f"{WEBHOOKS}, purge"][1], "ms", at_most=100)]
    if kind == POSTGRESQL:
        checks.append(
            Check("longest transaction with a lock", waits["transactions with locks, purge"][2], "ms", at_most=100)
        )
        checks.append(Check("longest wait for a lock", waits["waits for locks, purge"][2], "ms", at_most=100))
    else:
        checks.append(Check("longest wait of a writer", waits["a writer, purge"][2], "ms", at_most=250))
    return checks


def compared(run: Run, original: Database, gone: list[int]) -> tuple[dict[str, list[float]], list[str]]:
    """Return the seconds that both take in each round, and what did not go or should have stayed."""
    rounds: dict[str, list[float]] = {PURGE: [], PLAIN: []}
    problems: list[str] = []
    for _ in range(run.rounds or ROUNDS):
        for name, words in ((PURGE, []), (PLAIN, ["--plain"])):
            with copied(original, "copy", run.directory) as database:
                seconds, wrong = purged(database, gone, *words)
            rounds[name].append(seconds)
            problems += [f"{name}: {problem}" for problem in wrong]
    return rounds, problems


def purged(database: Database, gone: list[int], *words: str) -> tuple[float, list[str]]:
    """Run one purge in a process of its own; return what it took in seconds, and what is wrong."""
    env = environment(database, PGAPPNAME=APPLICATION)
    said: dict[str, Any] = json.loads(python("-m", "benchmarks.purge_run", *words, env=env, seconds=LIMIT_SECONDS))
    wrong = [] if said["rows"] == gone else [f"{said['rows']} rows went instead of {gone}"]
    left = [database.count("conversations_message"), database.count("conversations_conversation")]
    stay = [number // (LIVE_SHARE - 1) for number in gone]
    return said["seconds"], wrong if left == stay else [*wrong, f"{left} rows are left instead of {stay}"]


def under_load(run: Run, original: Database, gone: list[int]) -> tuple[dict[str, Any], list[str]]:
    """Purge while webhooks come in, and see what they and other writers wait; before, the same without a purge."""
    waits: dict[str, list[float]] = {}
    statuses: Counter[str] = Counter()
    with copied(original, "load", run.directory) as database, front(run, database) as server:
        before = database.count("bot_inboundmessage")
        contender = Contender("webhooks", server, database, "bot_inboundmessage")
        for label, work in (("no purge", partial(pause, run.seconds)), ("purge", partial(purged, database, gone))):
            name = label.replace(" ", "-")
            with others(database, waits, label), paced(contender, name, RATE, LIMIT_SECONDS) as answered:
                seconds, problems = work()
            waits[f"{WEBHOOKS}, {label}"] = answered["milliseconds"]
            statuses.update(answered["statuses"])
        stored = database.count("bot_inboundmessage") - before
    return {"seconds": seconds, "waits": waits}, problems + wrong(contender, statuses, stored)


def pause(seconds: float) -> tuple[float, list[str]]:
    """Do nothing for so long."""
    Event().wait(seconds)
    return seconds, []


@contextmanager
def others(database: Database, waits: dict[str, list[float]], label: str) -> Iterator[None]:
    """Watch what others notice while a block runs: locks on PostgreSQL, a writer's waits on SQLite."""
    stop = Event()
    with ThreadPoolExecutor(1) as pool:
        watch = watch_locks if database.kind == POSTGRESQL else write_steadily
        seen: Future[dict[str, list[float]]] = pool.submit(watch, database, stop)
        try:
            yield
        finally:
            stop.set()
    for name, values in seen.result().items():
        waits[f"{name}, {label}"] = [percentile(values, p) for p in (50, 99, 100)] if values else [0.0, 0.0, 0.0]

"""Worker processes answering a backlog that becomes available at one moment, watched from both stand-ins."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from benchmarks.databases import Database
from benchmarks.figures import BenchmarkError
from benchmarks.machine import cpu_seconds, peak_memory_mb, wait_until
from benchmarks.parts.answers import problems
from benchmarks.processes import Run, Running, seed
from benchmarks.servers import worker
from benchmarks.standin_log import StandInLog
from bot.dev.standins.process import StandIn

# The seeding process has ended by then, and the worker has been idle for a while.
BEGIN_IN_SECONDS, STORED_PER_SECOND = 4.0, 500
SETTLE_SECONDS = 20
WATCH_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Backlog:
    """What became of a backlog. Times are Unix time; CPU in seconds; requests are those both stand-ins received."""

    began: float
    first_completion: float
    last_send: float
    cpu_seconds: float
    standins_cpu_seconds: float
    idle_memory_mb: float
    peak_memory_mb: float
    requests: int
    completions: list[dict[str, Any]]
    problems: list[str]


def ignore(process: Running) -> None:
    """Watch nothing."""


def answer_backlog(
    run: Run,
    database: Database,
    people: range,
    *,
    concurrency: int,
    delay: float,
    limit: float,
    workers: int = 1,
    watcher: Callable[[Running], None] = ignore,
) -> Backlog:
    """Give each person one message, let workers answer them all within limit seconds, and check each answer.

    delay is the model's, in seconds. watcher is called with a worker just before the backlog becomes available. Memory
    is that of the largest worker.
    """
    logs = [run.directory / f"{name}-{people.start}.jsonl" for name in ("model", "channel")]
    with (
        StandIn.start("model", log=logs[0], delay=delay) as model,
        StandIn.start("whatsapp", log=logs[1]) as channel,
        ExitStack() as stack,
    ):
        processes = [
            stack.enter_context(worker(run, database, model.url, channel.url, concurrency, name=f"worker-{number}"))
            for number in range(workers)
        ]
        # On a machine that others load, everything takes longer.
        slower = max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))
        later = (BEGIN_IN_SECONDS + len(people) / STORED_PER_SECOND) * slower
        began = seed(database, people.start, len(people), later)
        for process in processes:
            watcher(process)
        pause = began - time.time() - 0.2
        if pause < 0:
            raise BenchmarkError("the backlog was not stored in time: the machine is too busy")
        time.sleep(pause)
        pids = [process.pid for process in processes]
        standins = [model.process.pid, channel.process.pid]
        return watched(database, people, began, limit, (pids, standins), (StandInLog(logs[0]), StandInLog(logs[1])))


def watched(
    database: Database,
    people: range,
    began: float,
    limit: float,
    pids: tuple[list[int], list[int]],
    logs: tuple[StandInLog, StandInLog],
) -> Backlog:
    """Wait until everybody is answered. pids: of workers and stand-ins; logs: of model and channel."""
    workers, standins = pids
    asked, sent = logs
    idle = max(map(peak_memory_mb, workers))
    before = [sum(map(cpu_seconds, workers)), sum(map(cpu_seconds, standins))]
    wait_until(lambda: len(sent.answered()) >= len(people), limit, "all messages answered", poll=WATCH_SECONDS)
    condition = "state <> 'done'"
    wait_until(lambda: not database.count("bot_inboundmessage", condition), SETTLE_SECONDS, "all turns settled")
    after = [sum(map(cpu_seconds, workers)), sum(map(cpu_seconds, standins))]
    return Backlog(
        began=began,
        first_completion=asked.answered()[0]["time"],
        last_send=sent.answered()[-1]["time"],
        cpu_seconds=after[0] - before[0],
        standins_cpu_seconds=after[1] - before[1],
        idle_memory_mb=idle,
        peak_memory_mb=max(map(peak_memory_mb, workers)),
        requests=len(asked.read()) + len(sent.read()),
        completions=asked.answered(),
        problems=problems(people, asked.answered(), sent.answered(), database),
    )

"""Whether a long day changes anything: memory and latencies under a steady load of 60 % of what was measured."""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

from benchmarks.databases import Database, fresh
from benchmarks.figures import Check, Part, percentile
from benchmarks.load import Contender, paced, wrong
from benchmarks.machine import wait_until
from benchmarks.parts.backlog import answer_backlog
from benchmarks.processes import Run, seed
from benchmarks.servers import front, worker
from benchmarks.watching import memory_while
from bot.dev.standins.process import StandIn

SHARE = 0.6
# What a worker can do follows from these chats, answered before.
CHATS, CONCURRENCY, LIMIT_SECONDS = 3_000, 100, 180
PEOPLE = 5_000
WARM_UP_SECONDS = 300.0
# Of a short run.
WARM_UP_SHARE = 0.25
WINDOW_SECONDS = 10.0
CONNECTIONS = 16
SETTLE_SECONDS = 60
COLUMNS = ("begin", "end", "end / begin")
MOST_MEMORY, MOST_P95 = 1.05, 1.25


def measure(run: Run, kind: str) -> Part:
    """Measure what a worker can do, then load the whole way from webhook to reply for a long time."""
    seconds = run.minutes * 60
    warm = min(WARM_UP_SECONDS, seconds * WARM_UP_SHARE)
    with fresh(kind, "soak", run.directory) as database:
        seed(database, 0, 0)
        people = range(PEOPLE, PEOPLE + CHATS)
        found = answer_backlog(run, database, people, concurrency=CONCURRENCY, delay=0.0, limit=LIMIT_SECONDS)
        capacity = CHATS / (found.last_send - found.first_completion)
        seed(database, 0, PEOPLE)
        memory, webhooks, replies, problems = loaded(run, database, capacity * SHARE, seconds)
    series = {
        "web, MB": [(second, web) for second, web, _ in memory],
        "worker, MB": [(second, of_worker) for second, _, of_worker in memory],
        "webhooks p95, ms": [(window["second"], window["p95"]) for window in webhooks["windows"]],
        "webhook to reply p95, ms": windows_of(replies),
    }
    rows = {name: begin_and_end(values, warm, seconds) for name, values in series.items()}
    checks = [
        Check(f"{name}: end / begin", row[2], at_most=MOST_MEMORY if name.endswith("MB") else MOST_P95)
        for name, row in rows.items()
    ]
    notes = [
        f"{run.minutes:g} minutes at {capacity * SHARE:.0f} messages/s, {SHARE:.0%} of {capacity:.0f}; begin and end: "
        f"medians of {span(warm, seconds):.0f} s, the first after {warm:.0f} s"
    ]
    return Part("soak", kind, COLUMNS, rows, checks, notes, found.problems + problems, details={"series": series})


def loaded(
    run: Run, database: Database, rate: float, seconds: float
) -> tuple[list[tuple[float, ...]], dict[str, Any], list[tuple[float, float]], list[str]]:
    """Load web and worker; return memory, what came of the webhooks, (moment, ms) of each reply, and what is wrong."""
    logs = [run.directory / f"soak-{name}.jsonl" for name in ("model", "channel")]
    before = database.count("bot_inboundmessage")
    with (
        StandIn.start("model", log=logs[0]) as model,
        StandIn.start("whatsapp", log=logs[1]) as channel,
        worker(run, database, model.url, channel.url, CONCURRENCY) as answering,
        front(run, database) as server,
    ):
        contender = Contender("webhooks", server, database, "bot_inboundmessage")
        words = {"connections": CONNECTIONS, "people": PEOPLE, "window": WINDOW_SECONDS}
        with paced(contender, "soak", rate, seconds + LIMIT_SECONDS, **words) as webhooks:
            memory = memory_while(seconds, [server.pid, answering.pid])
        pending = lambda: database.count("bot_inboundmessage", "state <> 'done'")  # noqa: E731
        wait_until(lambda: not pending(), SETTLE_SECONDS, "all messages answered", poll=0.5)
    problems = wrong(contender, webhooks["statuses"], database.count("bot_inboundmessage") - before)
    unsent = database.count("bot_outboundmessage", "status <> 'sent'")
    if unsent:
        problems.append(f"{unsent} replies were not sent")
    return memory, webhooks, list(replies_of(database)), problems


def replies_of(database: Database) -> Iterator[tuple[float, float]]:
    """Yield when a reply was sent, in seconds since the first, and how long after its message was received, in ms."""
    epoch = "EXTRACT(EPOCH FROM {0})" if database.kind == "postgresql" else "(julianday({0}) * 86400.0)"
    columns = ", ".join(epoch.format(name) for name in ("message.received_at", "part.sent_at"))
    rows = database.run(
        f"SELECT {columns} FROM bot_inboundmessage AS message "  # noqa: S608 (our own words)
        "JOIN bot_outboundmessage AS part ON part.turn_key = message.turn_key "
        "WHERE message.external_id LIKE 'wamid.soak.%' ORDER BY part.sent_at"
    )
    first = float(rows[0][1]) if rows else 0.0
    for received, sent in rows:
        yield float(sent) - first, (float(sent) - float(received)) * 1_000


def windows_of(replies: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the p95 of each window."""
    grouped: dict[int, list[float]] = {}
    for moment, milliseconds in replies:
        grouped.setdefault(int(moment // WINDOW_SECONDS), []).append(milliseconds)
    return [(number * WINDOW_SECONDS, percentile(values, 95)) for number, values in sorted(grouped.items())]


def span(warm: float, seconds: float) -> float:
    """Return for how long begin and end are looked at."""
    return max(WINDOW_SECONDS, min(WARM_UP_SECONDS, (seconds - warm) / 3))


def begin_and_end(values: Sequence[tuple[float, float]], warm: float, seconds: float) -> list[float]:
    """Return the medians of (second, value) after the warm-up and before the end, and their ratio."""
    length = span(warm, seconds)
    begin = median([value for second, value in values if warm <= second < warm + length])
    end = median([value for second, value in values if seconds - length <= second < seconds])
    return [begin, end, end / begin]

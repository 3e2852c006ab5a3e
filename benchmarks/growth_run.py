"""Time claims, intake and statuses in the database that DATABASE_URL names: `python -m benchmarks.growth_run`.

Prints a JSON object: for each kind of work the milliseconds (`ms`) and the CPU (`cpu_ms`) of each time; CPU is this
process's and its database connection's.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any

import django

from benchmarks.database_cpu import cpu_ms
from benchmarks.payloads import BOT_SLUG, body, status_body

TIMES = 40
# As many webhooks as wait on 16 connections; as many chats as a worker claims when half of it is free.
TOGETHER, CLAIMED = 16, 50
WORKER = "growth"


def main() -> None:
    """Do each kind of work often, and print what it took."""
    django.setup()
    from bot.models import OutboundMessage
    from bot.worker import claims

    numbers = count()
    sent = OutboundMessage.objects.filter(status="sent", bot__slug=BOT_SLUG).order_by("?")
    told = iter(sent.values_list("external_id", flat=True)[: (TIMES + 1) * TOGETHER])
    found = {
        "16 webhooks stored": timed(store, (message_bodies(numbers, TOGETHER) for _ in count())),
        "16 statuses applied": timed(store, status_bodies(told)),
    }
    # What the database was filled with, and what was stored just now.
    while claims.claim(WORKER, CLAIMED):
        pass
    analyse()
    found["a look for work, nothing waits"] = timed(lambda _: claims.claim(WORKER, CLAIMED), count())
    for _ in range(TIMES + 1):
        store(message_bodies(numbers, CLAIMED))
    analyse()
    found["50 chats claimed"] = timed(claimed, count())
    json.dump(found, sys.stdout)


def analyse() -> None:
    """Do what autovacuum would do within a minute: so many chats at once are not what the tables looked like before."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def timed(work: Callable[[Any], Any], given: Iterator[Any]) -> dict[str, list[float]]:
    """Do a work TIMES times, after one that does not count."""
    ms, cpu = [], []
    for content in islice(given, TIMES + 1):
        began, cpu_began = time.perf_counter(), cpu_ms()
        work(content)
        cpu.append(cpu_ms() - cpu_began)
        ms.append((time.perf_counter() - began) * 1_000)
    return {"ms": ms[1:], "cpu_ms": cpu[1:]}


def store(bodies: list[bytes]) -> None:
    """Store the bodies of webhooks together, as the web process does."""
    from bot import webhooks
    from bot.queue import accept, snapshot

    bots = snapshot.current(60)
    bot = bots.find_bot("whatsapp", BOT_SLUG)
    if bot is None:
        raise SystemExit("there is no bot")
    stored = accept.store([accept.prepare(bots, bot, webhooks.parse(bot, content), content) for content in bodies])
    if any(len(each.ids) + each.statuses != 1 for each in stored):
        raise SystemExit("a webhook changed nothing")


def claimed(_: Any) -> None:
    """Claim chats, all that a worker asks for."""
    from bot.worker import claims

    if len(claims.claim(WORKER, CLAIMED)) != CLAIMED:
        raise SystemExit("fewer chats were claimed than wait")


def message_bodies(numbers: Iterator[int], size: int) -> list[bytes]:
    """Return bodies with one message each, of people who have written nothing yet."""
    return [body(f"wamid.growth{number}", 90_000_000 + number, int(time.time())) for number in islice(numbers, size)]


def status_bodies(external_ids: Iterator[str]) -> Iterator[list[bytes]]:
    """Yield bodies that say that messages were delivered."""
    while ids := list(islice(external_ids, TOGETHER)):
        yield [status_body(external_id, "delivered", int(time.time())) for external_id in ids]


if __name__ == "__main__":
    main()

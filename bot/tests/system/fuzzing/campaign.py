"""The long run in a database of its own: post, let a worker answer, look at what is left."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from django.db import connection

from bot.models import InboundMessage
from bot.tests.support.entrances import Entrance, entrance
from bot.tests.system.fuzzing import answering, deliveries
from bot.tests.system.fuzzing.legal import row_faults
from bot.tests.system.fuzzing.posting import post

ALLOWED = frozenset({200, 400, 413})
# A worker's turn comes after so many payloads: what is stuck is then found near what caused it.
SLICE = 5_000
ANSWERING_SECONDS = 300.0
LONGEST_SHOWN = 4_000

Say = Callable[[str], None]


@dataclass(slots=True)
class Result:
    """What became of a run; failures are texts to be read."""

    statuses: Counter[int] = field(default_factory=Counter)
    states: dict[str, int] = field(default_factory=dict)
    alarms: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    post_seconds: float = 0.0
    post_cpu_seconds: float = 0.0
    answer_seconds: float = 0.0


def in_own_database(payloads: int, seed: int, first: int, say: Say) -> Result:
    """Make the database that the settings name (with test_ in front), run in it, and drop it."""
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    # A refusal each would be a flood; the alarms are counted where they are given.
    logging.getLogger().handlers = [logging.NullHandler()]
    try:
        answering.cast()
        with entrance("front") as front:
            return run(front, payloads, seed, first, say)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def run(front: Entrance, payloads: int, seed: int, first: int, say: Say) -> Result:
    """Post payloads number first, first + 1, …; each follows from the seed and its number alone."""
    result = Result()
    judged = 0
    for start in range(first, first + payloads, SLICE):
        numbers = range(start, min(start + SLICE, first + payloads))
        started, cpu_started = time.monotonic(), time.process_time()
        for number in numbers:
            _post_one(front, number, seed, result)
        posted = time.monotonic()
        result.post_cpu_seconds += time.process_time() - cpu_started
        judged = _judge_rows(judged, numbers, result)
        judged_at = time.monotonic()
        result.alarms += answering.answer_everything(ANSWERING_SECONDS)
        result.post_seconds += posted - started
        result.answer_seconds += time.monotonic() - judged_at
        say(f"  {numbers.stop - first:,} posted, failures so far: {len(result.failures)}")
    result.failures += answering.stuck()
    result.failures += [f"alarm: {name} ({count} times)" for name, count in result.alarms.items()]
    result.states = answering.states()
    return result


def _post_one(front: Entrance, number: int, seed: int, result: Result) -> None:
    delivery = deliveries.delivery(Random(f"{seed}:{number}"))
    try:
        status = post(front, answering.PATH, delivery).status
    except Exception as error:  # a server would answer 500
        status = 500
        result.failures.append(f"payload {number}: {type(error).__name__}: {error}")
    result.statuses[status] += 1
    if status not in ALLOWED:
        shown = repr(delivery.body[:LONGEST_SHOWN]) + ("…" if len(delivery.body) > LONGEST_SHOWN else "")
        result.failures.append(f"payload {number}: {status} for {delivery.content_type[:200]!r} {shown}")


def _judge_rows(after: int, numbers: range, result: Result) -> int:
    """Look at every row stored since the last look, before the worker empties it."""
    last = after
    for row in InboundMessage.objects.filter(pk__gt=after).order_by("pk").iterator():
        last = row.pk
        result.failures += [f"payloads {numbers.start} to {numbers.stop}: {fault}" for fault in row_faults(row)]
    return last

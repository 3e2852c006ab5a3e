"""State of the whole system in a few numbers: live processes and waiting messages, by one indexed statement."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.utils.dateparse import parse_datetime

from bot.monitoring.heartbeats import Kind, alive_since

# Raw SQL, because /readyz sends it over a connection that is not Django's. Messages of paused bots are excluded: they
# wait for the operator.
STATEMENT = """
    WITH waiting AS (
        SELECT message.available_at FROM bot_inboundmessage AS message
        JOIN bot_bot AS bot ON bot.id = message.bot_id AND bot.is_active AND bot.paused_at IS NULL
        WHERE message.state = 'pending')
    SELECT
        (SELECT count(*) FROM bot_heartbeat WHERE kind = 'worker' AND seen_at > %s),
        (SELECT max(seen_at) FROM bot_heartbeat WHERE kind = 'worker'),
        (SELECT count(*) FROM bot_heartbeat WHERE kind = 'scheduler' AND seen_at > %s),
        (SELECT max(seen_at) FROM bot_heartbeat WHERE kind = 'scheduler'),
        (SELECT count(*) FROM waiting),
        (SELECT min(available_at) FROM waiting)
"""


@dataclass(frozen=True, slots=True)
class System:
    """Live processes and the age of their latest heartbeat (None: never seen); waiting messages and their age."""

    workers_alive: int
    worker_seen_seconds: float | None
    schedulers_alive: int
    scheduler_seen_seconds: float | None
    waiting_messages: int
    oldest_waiting_seconds: float

    @property
    def is_complete(self) -> bool:
        """Whether at least one process of each kind lives."""
        return self.workers_alive > 0 and self.schedulers_alive > 0

    def as_numbers(self) -> dict[str, int | float | None]:
        """Return {name: number}."""
        return asdict(self)


def parameters(now: datetime) -> list[datetime]:
    """Return the parameters of STATEMENT."""
    return [alive_since(Kind.WORKER, now), alive_since(Kind.SCHEDULER, now)]


def read_system(row: Sequence[Any], now: datetime) -> System:
    """Return the system of a row of STATEMENT."""
    workers, worker_seen, schedulers, scheduler_seen, waiting, oldest = row
    return System(
        workers, _age(worker_seen, now), schedulers, _age(scheduler_seen, now), waiting, _age(oldest, now) or 0.0
    )


def ask_system(now: datetime) -> System:
    """Read the state over Django's connection.

    Raises:
        django.db.Error: there is no answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, [connection.ops.adapt_datetimefield_value(time) for time in parameters(now)])
        return read_system(cursor.fetchone(), now)


def _age(moment: datetime | str | None, now: datetime) -> float | None:
    # SQLite returns times as text, in UTC.
    time = parse_datetime(moment).replace(tzinfo=UTC) if isinstance(moment, str) else moment  # type: ignore[union-attr]
    return None if time is None else round(max((now - time).total_seconds(), 0.0), 1)

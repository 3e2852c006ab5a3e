"""How the whole system does, in a few numbers: who lives, and what waits. One statement, by indexes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.utils.dateparse import parse_datetime

from bot.monitoring.heartbeats import Kind, alive_since

# Written out because /readyz sends it over a connection of its own, which is not Django's. What waits for a bot that is
# paused waits for its operator: it is no sign of anything else.
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
    """Processes alive and the age of their latest heartbeat (None: never seen); messages that wait, and how long."""

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
        """Return the numbers by name."""
        return asdict(self)


def parameters(now: datetime) -> list[datetime]:
    """Return what STATEMENT wants to be given."""
    return [alive_since(Kind.WORKER, now), alive_since(Kind.SCHEDULER, now)]


def read_system(row: Sequence[Any], now: datetime) -> System:
    """Return what a row of STATEMENT says."""
    workers, worker_seen, schedulers, scheduler_seen, waiting, oldest = row
    return System(
        workers, _age(worker_seen, now), schedulers, _age(scheduler_seen, now), waiting, _age(oldest, now) or 0.0
    )


def ask_system(now: datetime) -> System:
    """Ask over Django's connection.

    Raises:
        django.db.Error: there is no answer.
    """
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, [connection.ops.adapt_datetimefield_value(time) for time in parameters(now)])
        return read_system(cursor.fetchone(), now)


def _age(moment: datetime | str | None, now: datetime) -> float | None:
    # SQLite returns the text it keeps, in UTC.
    time = parse_datetime(moment).replace(tzinfo=UTC) if isinstance(moment, str) else moment  # type: ignore[union-attr]
    return None if time is None else round(max((now - time).total_seconds(), 0.0), 1)

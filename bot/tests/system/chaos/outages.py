"""What happens to the servers during a run, and when."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.tests.system.faults.servers import PostgresServer, RedisServer


@dataclass(frozen=True, slots=True)
class Outage:
    """Something that happens once this share of the run is over."""

    at: float
    name: str
    happen: Callable[[], object]


def of_postgres(server: PostgresServer) -> list[Outage]:
    """Return PostgreSQL's outages."""
    return [
        Outage(0.2, "PostgreSQL crashed and restarted", lambda: server.restart("immediate")),
        Outage(0.45, "PostgreSQL restarted", server.restart),
        Outage(0.65, "PostgreSQL ended every connection", server.terminate_backends),
        Outage(0.85, "PostgreSQL crashed and restarted", lambda: server.restart("immediate")),
    ]


def of_redis(server: RedisServer) -> list[Outage]:
    """Return Redis's outages."""
    return [
        Outage(0.1, "Redis forgot everything", server.flush),
        Outage(0.35, "Redis stopped", server.stop),
        Outage(0.55, "Redis started", server.start),
    ]

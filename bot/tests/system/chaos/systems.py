"""A fleet on servers of its own, migrated and with people in it, and what is kept of it when something was wrong."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bot.dev.standins.process import StandIn
from bot.tests.support.processes import SEED
from bot.tests.system.chaos import outages
from bot.tests.system.chaos.fleet import Fleet
from bot.tests.system.chaos.outages import Outage
from bot.tests.system.chaos.plan import MODEL_DEADLINE_SECONDS, Plan
from bot.tests.system.chaos.provider import numbers
from bot.tests.system.faults.servers import PostgresServer, RedisServer

PEOPLE = (
    "from users.models import User\nfor number in {numbers!r}: User.objects.create_user(number, is_whitelisted=True)"
)


@contextmanager
def own_servers(database: str, folder: Path, plan: Plan) -> Iterator[tuple[Fleet, list[Outage]]]:
    """Yield a fleet on a Redis and a database of its own, and the outages these will have."""
    with ExitStack() as stack:
        redis = stack.enter_context(RedisServer())
        planned = outages.of_redis(redis)
        url = f"sqlite:///{folder / 'parley.sqlite3'}"
        if database == "postgres":
            server = stack.enter_context(PostgresServer())
            url = server.create_database("parley")
            planned += outages.of_postgres(server)
            stack.callback(shutil.copy, server.process.folder / "server.log", folder / "postgres.log")
        yield stack.enter_context(fleet_on(url, folder, plan, REDIS_URL=redis.url)), planned


@contextmanager
def fleet_on(url: str, folder: Path, plan: Plan, **environment: str) -> Iterator[Fleet]:
    """Yield a migrated fleet with whitelisted people and both stand-ins up, and no process started yet."""
    with (
        StandIn.start("model", log=folder / "model.jsonl") as model,
        StandIn.start("whatsapp", log=folder / "whatsapp.jsonl") as whatsapp,
    ):
        fleet = Fleet(url, model, whatsapp, folder, plan)
        fleet.environment |= {"MODEL_DEADLINE_SECONDS": str(MODEL_DEADLINE_SECONDS), **environment}
        fleet.manage("migrate", "--verbosity", "0")
        fleet.manage("shell", "--verbosity", "0", "--command", SEED + PEOPLE.format(numbers=numbers(plan.chats)))
        try:
            yield fleet
        finally:
            fleet.kill_all()


def keep(fleet: Fleet) -> None:
    """Write the tables beside the logs: a PostgreSQL server of ours is deleted with its data."""
    tables: Sequence[str] = ("bot.InboundMessage", "bot.OutboundMessage", "bot.Lease")
    fleet.manage("dumpdata", "--indent", "1", "--output", str(fleet.folder / "rows.json"), *tables)

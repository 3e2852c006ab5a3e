"""Gauges, read from the tables by a few statements of constant cost."""

from django.db import connection
from django.utils import timezone

from bot.models import Bot
from bot.monitoring.metrics.definitions import GAUGES
from bot.monitoring.system import ask_system
from config.desk.money import MICROS
from usage.days import today
from usage.models import DailySpend
from usage.spending import ALL_BOTS

# Rows without an index, which would slow every message, are searched among so many of the newest.
NEWEST = 100_000
COUNTS = f"""
    SELECT
        (SELECT count(*) FROM (SELECT state FROM bot_inboundmessage ORDER BY id DESC LIMIT {NEWEST}) AS newest
            WHERE state = 'dead'),
        (SELECT count(*) FROM (SELECT status FROM bot_outboundmessage ORDER BY id DESC LIMIT {NEWEST}) AS newest
            WHERE status = 'uncertain'),
        (SELECT count(DISTINCT lease.id) FROM bot_inboundmessage AS message
            JOIN bot_lease AS lease ON lease.bot_id = message.bot_id AND lease.address = message.address
            WHERE message.state = 'pending' AND lease.worker <> '' AND lease.expires_at > %s)
"""  # noqa: S608 (a number of ours)


def read_gauges() -> dict[str, float | None]:
    """Return {name: value} of all gauges; None without a value.

    Raises:
        django.db.Error: the database does not answer.
    """
    now = timezone.now()
    found: dict[str, float | None] = dict(ask_system(now).as_numbers())
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [connection.ops.adapt_datetimefield_value(now)])
        found["dead_letters"], found["uncertain_sends"], found["active_leases"] = cursor.fetchone()
    found["bots_paused"] = Bot.objects.refused().filter(is_active=True).count()
    budget = DailySpend.objects.standings(today())[ALL_BOTS]
    found["budget_spent_dollars"] = budget.used_micros / MICROS
    found["budget_cap_dollars"] = None if budget.cap_micros is None else budget.cap_micros / MICROS
    return {name: found[name] for name in GAUGES}

"""Messages and calls at given times, for the tests of what days come to."""

from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from bot.models import Bot, InboundMessage, OutboundMessage
from bot.tests.support.factories import ALICE, InboundFactory
from usage.models import UsageRecord
from usage.reporting.lines import lines
from usage.reporting.question import last_days
from users.models import User

NUMBERS = count(1)


def message(
    bot: Bot, at: datetime, *, took: float | None = None, address: str = ALICE, **fields: Any
) -> InboundMessage:
    """Return a message that came in, answered after so many seconds; without them it waits, or has failed."""
    ended = {"state": "done", "finished_at": at + timedelta(seconds=took)} if took is not None else {}
    return InboundFactory.create(bot=bot, address=address, received_at=at, **{**ended, **fields})


def reply(bot: Bot, at: datetime, status: str = "delivered", **fields: Any) -> OutboundMessage:
    """Return a part of a reply that was written then."""
    row = {"turn_key": next(NUMBERS) + 10**6, "part": 0, "address": ALICE, "created_at": at, "status": status}
    return OutboundMessage.objects.create(bot=bot, **{**row, **fields})


def call(bot: str, at: datetime, micros: int | None = 100, *, user: User | None = None, **fields: Any) -> UsageRecord:
    """Return a call of a model with 10 tokens in and 5 out."""
    row = {"model": "gpt-6-luna", "input_tokens": 10, "output_tokens": 5, "budget_micros": micros or 0}
    return UsageRecord.objects.create(bot=bot, user=user, created_at=at, cost_micros=micros, **{**row, **fields})


def report_by_day(days: int) -> dict[date, int]:
    """Return what each of the last days has cost, as the report of usage says it; days without a cost are left out."""
    costs: dict[date, int] = {}
    for line in lines(last_days(days)):
        costs[line.day] = costs.get(line.day, 0) + line.sums.cost_micros
    return {day: cost for day, cost in costs.items() if cost}

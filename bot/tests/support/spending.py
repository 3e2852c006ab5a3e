"""Turns that reserve and spend."""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db.models import Sum
from django.db.models.functions import Coalesce

from bot.models import InboundMessage
from bot.pipeline.stages.budget import budget
from bot.pipeline.turn import Turn
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BotFactory, event
from bot.tests.support.fakes import ScriptedModel, work_until
from config.db import batching
from config.db.batching import Database
from usage.days import today
from usage.models import DailySpend, UsageRecord
from usage.models.budgets import DailySpendQuerySet
from users.models import User


def terse_bot() -> ActiveBot:
    """Return a bot whose prompt is the person's message and nothing more."""
    return BotFactory.active(system_prompt="")


def estimated(text: str = "Hello") -> int:
    """Return what a first message of the text reserves: 100 + 10 + a token for each byte, and 100 for the answer."""
    return 110 + len(text.encode()) + 100


def set_budget(user: User, micros: int | None) -> None:
    User.objects.filter(pk=user.pk).update(daily_budget_micros=micros)


def sums(owner: User | ActiveBot | None, day: date | None = None) -> tuple[int, int]:
    """Return (spent, reserved) of a person's, a bot's, or everybody's day."""
    user, slug = (owner, "") if isinstance(owner, User) else (None, owner.slug if owner else "")
    row = DailySpend.objects.filter(user=user, bot=slug, day=day or today()).first()
    return (row.spent_micros, row.reserved_micros) if row else (0, 0)


def assert_sums_agree() -> None:
    """Compare each row of days with the usage records that were counted in it."""
    counted = {
        (row.user_id, row.bot, row.day): UsageRecord.objects.filter(
            **({"user": row.user_id} if row.user_id else {}),
            **({"bot": row.bot} if row.bot else {}),
            budget_day=row.day,
        ).aggregate(sum=Coalesce(Sum("budget_micros"), 0))["sum"]
        for row in DailySpend.objects.all()
    }
    spent = {(row.user_id, row.bot, row.day): row.spent_micros for row in DailySpend.objects.all()}
    assert spent == counted


def recorded(**who: Any) -> int:
    return UsageRecord.objects.filter(**who).between(today(), today()).totals().cost_micros


def ask(bot: ActiveBot, model: ScriptedModel, *texts: str, address: str = ALICE) -> None:
    for text in texts:
        accept.accept(bot, [event(f"m{InboundMessage.objects.count()}", text=text, address=address)])
        work_until(model=model)


def failing_spends(monkeypatch: pytest.MonkeyPatch, error: Exception, times: int) -> list[Exception]:
    """Let the statement on the days' rows fail so many times; return the failures as they come."""
    failures: list[Exception] = []
    apply = DailySpendQuerySet.apply

    def failing(self: DailySpendQuerySet, changes: Any) -> Any:
        if changes.rows() and len(failures) < times:
            failures.append(error)
            raise error
        return apply(self, changes)

    monkeypatch.setattr(DailySpendQuerySet, "apply", failing)
    monkeypatch.setattr("bot.worker.answering.backoff", lambda attempts: timedelta())
    monkeypatch.setattr(batching, "PATIENCE_SECONDS", 0.0)
    return failures


def stage_result(turn: Turn, seconds: float = 30, then: Callable[[], None] = lambda: None) -> Any:
    """Return what the stage raised for a turn, or None; then() is called before the database is closed."""

    class OnlyDatabase:
        def __init__(self) -> None:
            self.database = Database()

    async def run() -> Any:
        services: Any = OnlyDatabase()
        try:
            async with asyncio.timeout(seconds):
                return await budget(turn, services)
        except Exception as error:
            return error
        finally:
            then()
            await services.database.close()

    return asyncio.run(run())

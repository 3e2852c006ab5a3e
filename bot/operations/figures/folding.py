"""Keep what days came to: the messages they count are gone after a week, and too many to be counted for each page."""

import logging
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from bot.models import Bot, DailyFigures
from bot.operations.figures.days import count_day
from bot.privacy.retention.periods import MESSAGE_ROW_DAYS
from usage.days import today
from usage.models import UsageDay, UsageRecord

logger = logging.getLogger(__name__)

# So many days the dashboard shows.
SHOWN_DAYS = 30
# So many days that are over are counted again each night: late replies and receipts belong to them.
SETTLING_DAYS = 2
# What is known of a day whose messages are gone.
COSTS = ("costs", "input_tokens", "output_tokens", "cost_micros")


def fold_minute() -> int:
    """Keep what today has come to so far, and days that are over and have no figures yet; return how many those are.

    So the dashboard counts nothing itself. Safe at any time, twice and in parallel.
    """
    DailyFigures.objects.store([_row(count_day(today(), sampled=True))])
    held = held_days()
    return _fold(sorted(held - _kept(held)))


def fold_night() -> int:
    """Do what the night does: keep missing days, count the newest again, and note what older days cost by now.

    To be called before old messages are purged. Safe at any time, twice and in parallel.
    """
    held = held_days()
    settling = {today() - timedelta(days=ago) for ago in range(1, SETTLING_DAYS + 1)}
    done = _fold(sorted((held - _kept(held)) | (held & settling)))
    older = {today() - timedelta(days=ago) for ago in range(1, SHOWN_DAYS)} - held
    spent = (day for day in sorted(older - _kept(older)) if UsageRecord.objects.between(day, day).exists())
    done += _fold(spent, costs_only=True)
    _correct_costs()
    return done


def _correct_costs() -> None:
    """Take over what kept days cost by now: their records may have got a price since."""
    first, last = (today() - timedelta(days=ago) for ago in (SHOWN_DAYS - 1, SETTLING_DAYS + 1))
    found: dict[tuple[date, str], dict[str, int]] = {}
    for day in (first + timedelta(days=number) for number in range((last - first).days + 1)):
        folded = UsageDay.objects.between(day, day).values("bot", "model", "cost_micros")
        for line in [*UsageRecord.objects.between(day, day).sums_by_day(), *folded]:
            for bot in {"", line["bot"]}:
                costs = found.setdefault((day, bot), {})
                costs[line["model"]] = costs.get(line["model"], 0) + line["cost_micros"]
    for row in DailyFigures.objects.over().between(first, last):
        costs = found.get((row.day, row.bot), {})
        if costs != row.costs:
            row.costs, row.cost_micros = costs, sum(costs.values())
            row.save(update_fields=["costs", "cost_micros"])


def held_days() -> set[date]:
    """Return the days that are over and of which no message has been purged yet."""
    return {today() - timedelta(days=ago) for ago in range(1, MESSAGE_ROW_DAYS)}


def _kept(days: set[date]) -> set[date]:
    if not days:
        return set()
    kept = DailyFigures.objects.over().of("").between(min(days), max(days)).values_list("day", flat=True)
    return set(kept) & days


def _fold(days: Iterable[date], *, costs_only: bool = False) -> int:
    folded = 0
    bots = list(Bot.objects.all())
    for day in days:
        rows = [_row(figures) for figures in _of_all(day, bots, costs_only)]
        DailyFigures.objects.store(rows)
        logger.info("day_folded", extra={"day": str(day), "rows": len(rows)})
        folded += 1
    return folded


def _of_all(day: date, bots: list[Bot], costs_only: bool) -> Iterator[DailyFigures]:
    """Yield the figures of all bots together, and of each that had any."""
    for bot in (None, *bots):
        figures = count_day(day, bot)
        if costs_only:
            costs = {name: getattr(figures, name) for name in COSTS}
            figures = DailyFigures(day=day, bot=figures.bot, has_messages=False, **costs)
        if bot is None or figures.received or figures.last_outbound or figures.costs:
            yield figures


def _row(figures: DailyFigures) -> dict[str, Any]:
    columns = [field.attname for field in figures._meta.concrete_fields if not field.primary_key]
    return {name: getattr(figures, name) for name in columns}

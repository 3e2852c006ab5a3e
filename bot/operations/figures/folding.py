"""Keep what days came to: the messages they count are gone after a week, and too many to be counted for each page."""

import logging
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from bot.models import Bot, DailyFigures
from bot.operations.figures.costs import keep_costs
from bot.operations.figures.days import count_day
from bot.operations.figures.late import late_days
from bot.privacy.retention.periods import MESSAGE_ROW_DAYS
from usage.days import today

logger = logging.getLogger(__name__)

# So many days the dashboard shows.
SHOWN_DAYS = 30
# So many days that are over are counted again each night: late replies and receipts belong to them.
SETTLING_DAYS = 2


def fold_minute() -> int:
    """Keep what today has come to so far, and days that are over and have no figures yet, or rows that came late.

    So the dashboard counts nothing itself. Returns how many days were over. Safe at any time, twice and in parallel.
    """
    held = held_days()
    # Before today's count, which moves the id from which late rows are looked for.
    due = (held - _kept(held)) | late_days(held)
    DailyFigures.objects.store([_row(count_day(today(), sampled=True))])
    return fold_days(sorted(due))


def fold_night() -> int:
    """Do what the night does: keep missing days, count the newest again, and those to which rows came late.

    What each day has cost is brought up to date as well, also of days whose messages are gone.

    To be called before old messages are purged. Safe at any time, twice and in parallel.
    """
    held = held_days()
    settling = {today() - timedelta(days=ago) for ago in range(1, SETTLING_DAYS + 1)}
    done = fold_days(sorted((held - _kept(held)) | (held & settling) | late_days(held)))
    keep_costs({today() - timedelta(days=ago) for ago in range(1, SHOWN_DAYS)}, held)
    return done


def held_days() -> set[date]:
    """Return the days that are over and of which no message has been purged yet."""
    return {today() - timedelta(days=ago) for ago in range(1, MESSAGE_ROW_DAYS)}


def _kept(days: set[date]) -> set[date]:
    if not days:
        return set()
    kept = DailyFigures.objects.over().of("").between(min(days), max(days)).values_list("day", flat=True)
    return set(kept) & days


def fold_days(days: Iterable[date]) -> int:
    """Count days with each bot and with all, and keep what they came to; return how many they were."""
    folded = 0
    bots = list(Bot.objects.all())
    for day in days:
        rows = [_row(figures) for figures in _of_all(day, bots)]
        DailyFigures.objects.store(rows)
        logger.info("day_folded", extra={"day": str(day), "rows": len(rows)})
        folded += 1
    return folded


def _of_all(day: date, bots: list[Bot]) -> Iterator[DailyFigures]:
    """Yield the figures of all bots together, and of each that had any."""
    for bot in (None, *bots):
        figures = count_day(day, bot)
        if bot is None or figures.received or figures.last_outbound or figures.costs:
            yield figures


def _row(figures: DailyFigures) -> dict[str, Any]:
    columns = [field.attname for field in figures._meta.concrete_fields if not field.primary_key]
    return {name: getattr(figures, name) for name in columns}

"""Sum up usage records, and delete what days have cost, that are older than the operator keeps them."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from config.db.batches import Progress, delete_in_batches
from usage.folding import fold_in_batches
from usage.models import ClosedDay, DailySpend, SpendAlert, UsageRecord


def cleanup_old_usage_metrics(days: int, *, dry_run: bool = False, progress: Progress | None = None) -> int:
    """Sum up the usage records older than days by day, delete them, in short batches, and return how many went.

    No total ever changes. Safe at any time, in several processes at once, and when it is ended at any point. What the
    records came to is in UsageDay.

    Raises:
        ValueError: days is less than 1.
    """
    old = UsageRecord.objects.older_than(_cutoff(days))
    return old.count() if dry_run else fold_in_batches(old, progress=progress)


def cleanup_old_spends(days: int, *, dry_run: bool = False) -> int:
    """Delete what days older than so many have cost, with alerts and copies of sums; return how many days' spends.

    Call it before cleanup_old_usage_metrics(): see old_days().

    Raises:
        ValueError: days is less than 1.
    """
    spends, *others = (old_days(model, _cutoff(days)) for model in (DailySpend, SpendAlert, ClosedDay))
    if dry_run:
        return spends.count()
    for rows in others:
        delete_in_batches(rows)
    return delete_in_batches(spends)


def old_days(model: type[DailySpend | SpendAlert | ClosedDay], cutoff: datetime) -> "QuerySet[Any]":
    """Return the rows of days up to that of the cutoff.

    A day whose first records are too old goes as a whole, before them, so that what is kept of a day is always the sum
    of its records.
    """
    return model._default_manager.filter(day__lte=timezone.localdate(cutoff, timezone.get_default_timezone()))


def _cutoff(days: int) -> datetime:
    if days < 1:
        raise ValueError(f"days must be at least 1 (found {days}).")
    return timezone.now() - timedelta(days=days)

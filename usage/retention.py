"""Sum up usage records, and delete what days have cost, that are older than the operator keeps them."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from config.db.batches import Progress, delete_in_batches
from usage.days import today
from usage.folding import fold_in_batches
from usage.models import ClosedDay, DailySpend, SpendAlert, UsageRecord


@dataclass(frozen=True, slots=True)
class CleanedUsage:
    """How many usage records were deleted, or would be in a dry run."""

    records: int

    def __str__(self) -> str:
        return f"{self.records:,} usage records"


def cleanup_old_usage_metrics(days: int, *, dry_run: bool = False, progress: Progress | None = None) -> CleanedUsage:
    """Sum up the usage records older than days by day, and delete them, in short batches; no total ever changes.

    Safe at any time, in several processes at once, and when it is ended at any point. What they came to is in UsageDay.

    Raises:
        ValueError: days is less than 1.
    """
    _check(days)
    old = UsageRecord.objects.older_than(timezone.now() - timedelta(days=days))
    return CleanedUsage(old.count() if dry_run else fold_in_batches(old, progress=progress))


def cleanup_old_spends(days: int, *, dry_run: bool = False, progress: Progress | None = None) -> int:
    """Delete what days older than so many have cost, with alerts and copies of sums; return how many days' spends.

    Call it before cleanup_old_usage_metrics(): a day whose first records are too old goes as a whole, so that what is
    kept of a day is always the sum of its records.

    Raises:
        ValueError: days is less than 1.
    """
    _check(days)
    old = DailySpend.objects.filter(day__lte=_last(days))
    if dry_run:
        return old.count()
    delete_in_batches(old_alerts(days))
    delete_in_batches(old_closed_days(days))
    return delete_in_batches(old, progress=progress)


def old_alerts(days: int) -> "QuerySet[SpendAlert]":
    """Return the alerts of days whose spends are older than so many days."""
    return SpendAlert.objects.filter(day__lte=_last(days))


def old_closed_days(days: int) -> "QuerySet[ClosedDay]":
    """Return the copies of the sums of days whose records are older than so many days, or about to be."""
    return ClosedDay.objects.filter(day__lte=_last(days))


def _last(days: int) -> date:
    return today() - timedelta(days=days)


def _check(days: int) -> None:
    if days < 1:
        raise ValueError(f"days must be at least 1 (found {days}).")

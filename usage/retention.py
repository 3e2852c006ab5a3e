"""Delete usage records, and what days have cost, that are older than the operator keeps them."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from config.batches import Progress, delete_in_batches
from usage.managers import today
from usage.models import DailySpend, SpendAlert, UsageRecord


@dataclass(frozen=True, slots=True)
class CleanedUsage:
    """How many usage records were deleted, or would be in a dry run."""

    records: int

    def __str__(self) -> str:
        return f"{self.records:,} usage records"


def cleanup_old_usage_metrics(days: int, *, dry_run: bool = False, progress: Progress | None = None) -> CleanedUsage:
    """Delete the usage records older than days, in short batches; safe at any time and in several processes at once.

    Raises:
        ValueError: days is less than 1.
    """
    _check(days)
    old = UsageRecord.objects.older_than(timezone.now() - timedelta(days=days))
    return CleanedUsage(old.count() if dry_run else delete_in_batches(old, progress=progress))


def cleanup_old_spends(days: int, *, dry_run: bool = False, progress: Progress | None = None) -> int:
    """Delete what days have cost that are older than so many days, and their alerts; return how many days' spends.

    Call it before cleanup_old_usage_metrics(): a day whose first records are too old goes as a whole, so that what is
    kept of a day is always the sum of its records.

    Raises:
        ValueError: days is less than 1.
    """
    _check(days)
    last = today() - timedelta(days=days)
    old = DailySpend.objects.filter(day__lte=last)
    if dry_run:
        return old.count()
    delete_in_batches(SpendAlert.objects.filter(day__lte=last))
    return delete_in_batches(old, progress=progress)


def _check(days: int) -> None:
    if days < 1:
        raise ValueError(f"days must be at least 1 (found {days}).")

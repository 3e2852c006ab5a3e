"""Sum up old usage records by day and delete them: totals stay, whose they were goes."""

import time
from datetime import datetime

from django.db import connections, transaction

from config.db.batches import FIRST_SIZE, Progress, next_size
from usage.models import ClosedDay, UsageDay, UsageQuerySet, UsageRecord


def fold_in_batches(old: UsageQuerySet, *, progress: Progress | None = None) -> int:
    """Add what the records came to to UsageDay, delete them, in short transactions, and return how many went.

    A batch is locked, added and deleted in one transaction: ended anywhere, each record is counted once, in one of the
    two places. Records that another process has locked are its to fold, or are left for the next run.
    """
    total = old.count() if progress else None
    size, folded, since = FIRST_SIZE, 0, None
    while True:
        started = time.monotonic()
        # From where the last batch ended: what it deleted would be walked past again and again until a vacuum.
        count, since = _fold_batch(old if since is None else old.filter(created_at__gte=since), size)
        seconds = time.monotonic() - started
        if not count:
            return folded
        folded += count
        size = next_size(size, seconds)
        if progress:
            progress(folded, total)
        # SQLite has one write lock and no queue for it: without a pause the others would hardly ever get it.
        if connections[old.db].vendor == "sqlite":
            time.sleep(seconds)


@transaction.atomic
def _fold_batch(old: UsageQuerySet, size: int) -> tuple[int, datetime | None]:
    """Fold up to size of the records; return how many, and when the last of them was created."""
    oldest = old.order_by("created_at", "pk").select_for_update(skip_locked=True, of=("self",))
    chosen = list(oldest.values_list("pk", "created_at")[:size])
    if not chosen:
        return 0, None
    # Locked: until the end of the transaction these are the same rows with the same numbers to every statement.
    locked = UsageRecord.objects.filter(pk__in=[key for key, _ in chosen])
    sums = locked.sums_by_day()
    UsageDay.objects.add(sums)
    ClosedDay.objects.reopen(row["day"] for row in sums)
    return locked._raw_delete(locked.db), chosen[-1][1]

"""Delete many rows while everybody else goes on reading and writing; and tell the person who watches how far it is."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import OutputWrapper
from django.db import connections, models, transaction

Progress = Callable[[int, int | None], None]

FIRST_SIZE = 200
# Bounded by how many parameters a statement may have (SQLite: 32,766).
LARGEST_SIZE = 10_000
TARGET_SECONDS = 0.05


def delete_in_batches(queryset: models.QuerySet[Any], *, progress: Progress | None = None) -> int:
    """Delete the queryset's rows in short transactions and return how many went.

    Each batch is chosen and deleted by primary key under the queryset's own condition: a row that stops matching
    meanwhile survives. Rows that another process has locked are left for the next run, so that several runs share the
    work instead of waiting for each other. A batch is sized to take about 50 ms. `progress` is called after each with
    what was deleted so far and, where it is worth a count, the total.

    Nothing cascades: rows that refer to the deleted ones have to be gone before, or the database refuses.
    """
    rows = queryset.order_by("pk").select_related(None)
    total = rows.count() if progress else None
    size, deleted, last = FIRST_SIZE, 0, None
    while True:
        started = time.monotonic()
        # From where the last batch ended: what it deleted would be walked past again and again until a vacuum.
        keys, gone = _delete_batch(rows if last is None else rows.filter(pk__gt=last), size)
        seconds = time.monotonic() - started
        if not keys:
            return deleted
        deleted += gone
        last = keys[-1]
        size = next_size(size, seconds)
        if progress:
            progress(deleted, total)
        # SQLite has one write lock and no queue for it: without a pause the others would hardly ever get it.
        if connections[queryset.db].vendor == "sqlite":
            time.sleep(seconds)


def next_size(size: int, seconds: float) -> int:
    """Return the next batch's size, given how long the last one took.

    It at most doubles, so that a batch twice as large as one within the target stays under twice the target.
    """
    fitting = int(size * TARGET_SECONDS / max(seconds, 0.001))
    return max(1, min(fitting, size * 2, LARGEST_SIZE))


def _delete_batch(rows: models.QuerySet[Any], size: int) -> tuple[list[Any], int]:
    """Delete up to size of the rows; return the primary keys that were chosen and how many rows went."""
    with transaction.atomic(using=rows.db):
        chosen = rows.select_for_update(skip_locked=True, of=("self",)).only("pk")[:size]
        keys = [row.pk for row in chosen]
        # _raw_delete is DELETE … WHERE the condition still holds; delete() may fetch the rows and forget the condition.
        return keys, rows.filter(pk__in=keys)._raw_delete(rows.db) if keys else 0


class ProgressLine:
    """One line on a terminal that is overwritten as the work goes on, and taken away before the summary."""

    def __init__(self, stream: OutputWrapper, label: str) -> None:
        self.stream = stream
        self.label = label
        self.width = 0

    def __call__(self, done: int, total: int | None) -> None:
        """Show how far it is."""
        of_total = "" if total is None else f" of {total:,}"
        self._overwrite(f"{self.label}: {done:,}{of_total}")

    def clear(self) -> None:
        """Make room for what is written next."""
        self._overwrite("")
        self.stream.write("\r", ending="")

    def _overwrite(self, text: str) -> None:
        self.stream.write(f"\r{text.ljust(self.width)}", ending="")
        self.stream.flush()
        self.width = len(text)


@contextmanager
def progress_line(stream: OutputWrapper, label: str) -> Iterator[Progress | None]:
    """Yield the progress to hand to delete_in_batches(): a line if a person watches the stream, else None."""
    if not stream.isatty():
        yield None
        return
    line = ProgressLine(stream, label)
    try:
        yield line
    finally:
        line.clear()

"""Batch deletion of many rows in short transactions beside normal traffic, with a progress line."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.management.base import OutputWrapper
from django.db import OperationalError, connections, models, transaction

Progress = Callable[[int, int | None], None]

FIRST_SIZE = 200
# Keys are a statement's parameters if some rows are locked by others.
LARGEST_SIZE = 10_000
TARGET_SECONDS = 0.03
# A search for rows to delete reads so many keys at most, and so ends before a timeout on a table of any size.
LOOK_AHEAD = 200_000
# SQLite's other writers retry every 25 ms at first: a pause of that length lets each find the lock free once.
SHORTEST_PAUSE = 0.03
# PostgreSQL, for one transaction: do not wait for locked rows; no joins that scan a whole table, which would make the
# smallest batch as slow as the largest; do not wait for the commit, as rows of one lost in a server crash are found by
# the next run.
SETTINGS = {"lock_timeout": "20ms", "enable_hashjoin": "off", "enable_mergejoin": "off", "synchronous_commit": "off"}
LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True, slots=True)
class Span:
    """A range of primary keys, both ends included."""

    first: Any
    last: Any

    def of(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Keep the rows whose keys are in the range."""
        return rows.filter(pk__gte=self.first, pk__lte=self.last)


def delete_in_batches(queryset: models.QuerySet[Any], *, progress: Progress | None = None) -> int:
    """Delete the queryset's rows in short transactions and return how many.

    Each batch is a range of primary keys, found without a lock and deleted under the queryset's own condition: a row
    that stops matching meanwhile survives. Locked rows are left for the next run, so that parallel runs share the work
    instead of waiting for each other. A batch is sized to take about 30 ms; a run killed at any moment leaves whole
    batches. `progress` is called after each with the rows deleted so far and, if worth a count, the total.

    Nothing cascades: referring rows must be deleted before, or the database refuses.
    """
    rows = queryset.order_by("pk").select_related(None)
    total = rows.count() if progress else None
    size, deleted = FIRST_SIZE, 0
    span = _next_span(rows, None, size)
    while span is not None:
        started = time.monotonic()
        gone = _delete(rows, span)
        seconds = time.monotonic() - started
        deleted += gone
        asked, size = size, next_size(size, seconds)
        if progress:
            progress(deleted, total)
        # SQLite has one write lock without a queue: without a pause other writers would starve.
        if connections[rows.db].vendor == "sqlite":
            time.sleep(max(seconds, SHORTEST_PAUSE))
        if _is_dense(span, gone, asked):
            # The next keys are probably dense as well: skip the search. So many keys are at most so many rows.
            span = Span(span.last + 1, span.last + size)
        else:
            span = _next_span(rows, span.last, size)
    return deleted


def next_size(size: int, seconds: float) -> int:
    """Return the next batch's size, given how long the last one took.

    It at most doubles, so that a batch after one within the target stays under twice the target.
    """
    fitting = int(size * TARGET_SECONDS / max(seconds, 0.001))
    return max(1, min(fitting, size * 2, LARGEST_SIZE))


def _is_dense(span: Span, gone: int, asked: int) -> bool:
    """Return whether deleted rows were more than half of a span's keys, and of the keys asked for."""
    return isinstance(span.last, int) and gone * 2 > max(asked, span.last - span.first)


def _next_span(rows: models.QuerySet[Any], after: Any, size: int) -> Span | None:
    """Return the span of the next rows, `size` at most, fewer if they are sparse; None if there are none.

    The search starts after the last batch, because dead rows stay in the index until a vacuum.
    """
    table = rows.model._base_manager.using(rows.db).order_by("pk").values_list("pk", flat=True)
    width = size
    while True:
        # Any row, without the condition: one index lookup.
        start = (table if after is None else table.filter(pk__gt=after)).first()
        if start is None:
            return None
        near, after = rows.filter(pk__gte=start), None
        if isinstance(start, int):
            # Widen step by step: the condition may be expensive, and is evaluated for every row in between.
            width = min(width * 4, LOOK_AHEAD)
            after = start + width
            near = near.filter(pk__lte=after)
        with _short_transaction(rows.db, writes=False):
            ends = near.values("pk")[:size].aggregate(first=models.Min("pk"), last=models.Max("pk"))
        if ends["last"] is not None:
            return Span(ends["first"], ends["last"])
        if after is None:
            return None


def _delete(rows: models.QuerySet[Any], span: Span) -> int:
    """Delete the rows of a span except locked ones; return how many."""
    # Within the caller's transaction, settings would outlive this batch.
    if connections[rows.db].vendor == "postgresql" and connections[rows.db].in_atomic_block:
        return _delete_unlocked(rows, span)
    try:
        with _short_transaction(rows.db):
            # DELETE with the condition; delete() may fetch the keys first and drop it.
            return span.of(rows)._raw_delete(rows.db)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
    return _delete_unlocked(rows, span)


def _delete_unlocked(rows: models.QuerySet[Any], span: Span) -> int:
    """Delete the unlocked rows of a span, selected with SKIP LOCKED: twice the work."""
    with _short_transaction(rows.db):
        free = span.of(rows).select_for_update(skip_locked=True, of=("self",)).only("pk")[:LARGEST_SIZE]
        keys = [row.pk for row in free]
        return rows.filter(pk__in=keys)._raw_delete(rows.db) if keys else 0


@contextmanager
def _short_transaction(using: str, *, writes: bool = True) -> Iterator[None]:
    """Open a transaction for one batch, with SETTINGS on PostgreSQL; on SQLite only for writes."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        if not writes:
            yield
            return
        with transaction.atomic(using=using):
            yield
        return
    outermost = not connection.in_atomic_block
    with transaction.atomic(using=using):
        if outermost:
            calls = ", ".join("set_config(%s, %s, true)" for _ in SETTINGS)
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT {calls}", [word for item in SETTINGS.items() for word in item])
        yield


class ProgressLine:
    """A progress line on a terminal, overwritten with each update and cleared before the summary."""

    def __init__(self, stream: OutputWrapper, label: str) -> None:
        self.stream = stream
        self.label = label
        self.width = 0

    def __call__(self, done: int, total: int | None) -> None:
        """Show the progress."""
        of_total = "" if total is None else f" of {total:,}"
        self._overwrite(f"{self.label}: {done:,}{of_total}")

    def clear(self) -> None:
        """Clear the line."""
        self._overwrite("")
        self.stream.write("\r", ending="")

    def _overwrite(self, text: str) -> None:
        self.stream.write(f"\r{text.ljust(self.width)}", ending="")
        self.stream.flush()
        self.width = len(text)


@contextmanager
def progress_line(stream: OutputWrapper, label: str) -> Iterator[Progress | None]:
    """Yield the progress callback for delete_in_batches(): a line if the stream is a terminal, else None."""
    if not stream.isatty():
        yield None
        return
    line = ProgressLine(stream, label)
    try:
        yield line
    finally:
        line.clear()

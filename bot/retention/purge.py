"""The purge: everything whose time is over goes, step by step through the table."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from django.db import connection

from bot.retention.entry import Counts
from bot.retention.table import steps
from config.batches import Progress

logger = logging.getLogger(__name__)

# Is told the name of a step that begins; gives it the progress to report to, and ends with it.
Watch = Callable[[str], AbstractContextManager[Progress | None]]


class PurgeFailed(Exception):
    """Some steps of a purge failed: `failed` are their names, `counts` what went all the same. The log has the why."""

    def __init__(self, failed: list[str], counts: Counts) -> None:
        super().__init__(", ".join(failed))
        self.failed, self.counts = failed, counts


def unwatched(name: str) -> AbstractContextManager[None]:
    """Watch nothing."""
    return nullcontext()


def purge_expired(*, dry_run: bool = False, watch: Watch = unwatched) -> Counts:
    """Delete everything whose time is over, in every app; the daily schedule and `manage.py cleanup` call it.

    Returns how many rows went, or with dry_run would go, by name. Safe at any time, twice and in parallel.

    Raises:
        PurgeFailed: some steps failed. One that fails keeps no other from being done.
    """
    counts: Counts = {}
    failed: list[str] = []
    for step in steps():
        try:
            with watch(step.name) as progress:
                counts |= step.run(step.period.get(), dry_run, progress)
        except Exception:
            logger.exception("purge_failed", extra={"step": step.name})
            failed.append(step.name)
            if not connection.in_atomic_block:
                # One that was lost is made anew for the next step.
                connection.close_if_unusable_or_obsolete()
    if not dry_run:
        logger.info("purge_done", extra={**counts, "failed": failed})
    if failed:
        raise PurgeFailed(failed, counts)
    return counts

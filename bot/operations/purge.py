"""The purge: everything whose time is over goes, step by step through the table."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from django.db import connection

from bot.operations.figures.folding import fold_night
from bot.privacy.disk import empty_write_ahead_log
from bot.privacy.retention.entry import Counts
from bot.privacy.retention.table import steps
from config.db.batches import Progress

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
    failed: list[str] = [] if dry_run else _keep_figures()
    for step in steps():
        try:
            with watch(step.name) as progress:
                counts |= step.run(step.period.get(), dry_run, progress)
        except Exception:
            logger.exception("purge_failed", extra={"step": step.name})
            failed.append(step.name)
            _renew_connection()
    if not dry_run:
        empty_write_ahead_log()
        logger.info("purge_done", extra={**counts, "failed": failed})
    if failed:
        raise PurgeFailed(failed, counts)
    return counts


def _keep_figures() -> list[str]:
    """Count the days whose messages are about to go; return what failed. It keeps nothing from being deleted."""
    try:
        fold_night()
    except Exception:
        logger.exception("fold_failed")
        _renew_connection()
        return ["figures"]
    return []


def _renew_connection() -> None:
    """Make one that was lost anew for the next step."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()

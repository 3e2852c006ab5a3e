"""The purge: delete expired rows, step by step through the retention table."""

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

# A context manager around each step, given its name; yields the step's progress callback.
Watch = Callable[[str], AbstractContextManager[Progress | None]]


class PurgeFailed(Exception):
    """Some steps of a purge failed. failed: their names. counts: what the others deleted. The log has the reasons."""

    def __init__(self, failed: list[str], counts: Counts) -> None:
        super().__init__(", ".join(failed))
        self.failed, self.counts = failed, counts


def unwatched(name: str) -> AbstractContextManager[None]:
    """Show no progress."""
    return nullcontext()


def purge_expired(*, dry_run: bool = False, watch: Watch = unwatched) -> Counts:
    """Delete expired rows of all apps, for the daily schedule and `manage.py cleanup`.

    Returns {name: rows deleted, or with dry_run to be deleted}. Idempotent, safe at any time and in parallel.

    Raises:
        PurgeFailed: some steps failed; the others were done.
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
    """Count the days whose messages are about to be deleted; return the failures, which do not stop the purge."""
    try:
        fold_night()
    except Exception:
        logger.exception("fold_failed")
        _renew_connection()
        return ["figures"]
    return []


def _renew_connection() -> None:
    """Replace a lost connection for the next step."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()

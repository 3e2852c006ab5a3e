"""Flushing of a process's counts to the table of counters, to which all processes add."""

import atexit
import logging
import threading
import time
from multiprocessing.util import Finalize

from django.db import close_old_connections, connection

from bot.monitoring.metrics.memory import pending
from config.db.rows import insert_rows
from config.db.short_connection import brief_connection

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 2.0
# Timeout of the flush at the end of a process.
LAST_FLUSH_SECONDS = 2

ADD = "(name, labels) DO UPDATE SET value = bot_counter.value + excluded.value"


def flush() -> None:
    """Add the pending counts to the table, in one statement; on failure keep them for the next flush.

    Raises:
        django.db.Error: it could not be written.
    """
    from bot.models import Counter

    counts = pending.take()
    # Lock order: rows sorted, so that two processes cannot deadlock.
    rows = [{"name": name, "labels": labels, "value": value} for (name, labels), value in sorted(counts.items())]
    try:
        insert_rows(Counter, rows, on_conflict=ADD)
    except BaseException:
        pending.give_back(counts)
        raise


def flush_in_background() -> None:
    """Flush in a background thread of this process from its first count on, for web processes.

    The thread does not start at once, because a server may fork after the import.
    """
    pending.on_first = _start_thread


def _start_thread() -> None:
    threading.Thread(target=_keep_flushing, name="metrics", daemon=True).start()
    # Servers end processes in one of two ways; a second call does nothing.
    atexit.register(last_flush)
    Finalize(None, last_flush, exitpriority=10)


def _keep_flushing() -> None:
    failed = False
    while True:
        time.sleep(FLUSH_SECONDS)
        if not pending:
            continue
        try:
            close_old_connections()
            flush()
            failed = False
        except Exception as error:  # most likely the database is unavailable: retry later
            connection.close()
            if not failed:
                logger.warning("metrics_not_flushed", extra={"error": type(error).__name__})
            failed = True


def last_flush() -> None:
    """Flush the remaining counts at the end of the process, within a short timeout."""
    if not pending:
        return
    try:
        with brief_connection(LAST_FLUSH_SECONDS):
            flush()
    except Exception as error:
        logger.warning("metrics_lost", extra={"error": type(error).__name__})

"""Hand over what a process has counted to the table of counters, to which all processes add."""

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
# At the end of a process nobody waits long for a database that does not answer.
LAST_FLUSH_SECONDS = 2

ADD = "(name, labels) DO UPDATE SET value = bot_counter.value + excluded.value"


def flush() -> None:
    """Add what was counted to the table, in one statement; what fails is kept for the next time.

    Raises:
        django.db.Error: it could not be written.
    """
    from bot.models import Counter

    counts = pending.take()
    # In one order, so that two processes cannot wait for each other.
    rows = [{"name": name, "labels": labels, "value": value} for (name, labels), value in sorted(counts.items())]
    try:
        insert_rows(Counter, rows, on_conflict=ADD)
    except BaseException:
        pending.give_back(counts)
        raise


def flush_in_background() -> None:
    """Let a thread of this process flush from now on, as soon as there is something: the web process's way.

    Not at once: a server may fork after it has imported us.
    """
    pending.on_first = _start_thread


def _start_thread() -> None:
    threading.Thread(target=_keep_flushing, name="metrics", daemon=True).start()
    # Servers end their processes in one of two ways; the second time there is nothing left to do.
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
        except Exception as error:  # the database is away, most likely: later, then
            connection.close()
            if not failed:
                logger.warning("metrics_not_flushed", extra={"error": type(error).__name__})
            failed = True


def last_flush() -> None:
    """Hand over what is left when the process ends, if the database takes it at once."""
    if not pending:
        return
    try:
        with brief_connection(LAST_FLUSH_SECONDS):
            flush()
    except Exception as error:
        logger.warning("metrics_lost", extra={"error": type(error).__name__})

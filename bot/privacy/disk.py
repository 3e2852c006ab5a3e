"""Removal of erased text from SQLite's write-ahead log on disk."""

import logging

from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)

# The checkpoint waits so long for readers, and writers wait for the checkpoint.
MOST_WAIT_MS = 1_000


def empty_write_ahead_log() -> bool:
    """Checkpoint and truncate SQLite's write-ahead log; return whether it is empty.

    The log holds pages from before an erasure until later writes replace them. Call it outside of a transaction. It
    never raises: if readers prevent it, that is logged, and the daily purge retries.
    """
    if connection.vendor != "sqlite":
        return True
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout")
            waits = cursor.fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout = {MOST_WAIT_MS}")
            try:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                is_busy = bool(cursor.fetchone()[0])
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {int(waits)}")
    except DatabaseError as error:
        logger.warning("log_not_emptied", extra={"detail": type(error).__name__})
        return False
    if is_busy:
        logger.warning("log_not_emptied", extra={"detail": "somebody reads"})
    return not is_busy

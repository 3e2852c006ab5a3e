"""Take erased text off the disk where the database leaves that to its users: SQLite's write-ahead log."""

import logging

from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)

# Writers wait as long as this waits for readers.
MOST_WAIT_MS = 1_000


def empty_write_ahead_log() -> bool:
    """Write SQLite's log back into its file and empty it; return whether nothing is left in it.

    The log holds pages as they were before an erasure until later writes take their place. To be called outside of
    a transaction. It never fails: while somebody reads it is not emptied, which is logged; the daily purge tries again.
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

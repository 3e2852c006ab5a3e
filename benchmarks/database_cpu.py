"""What work costs this process and its database connection, which other work on the machine does not stretch."""

import time
from pathlib import Path


def cpu_ms() -> float:
    """Return the milliseconds of CPU of this process and, where it runs on this machine, of its database connection."""
    from django.db import connection

    connection.ensure_connection()
    info = getattr(connection.connection, "info", None)  # SQLite works in this process
    times = Path(f"/proc/{info.backend_pid}/schedstat") if info else None
    of_database = int(times.read_text().split()[0]) if times and times.exists() else 0  # nanoseconds
    return time.process_time() * 1_000 + of_database / 1_000_000

"""Retry after a restart of the database: a persistent connection is found stale only when it is used."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

Result = TypeVar("Result")

# A stale connection fails at once. A later failure is of a running statement, which must not be retried: its request
# may have been refused meanwhile (bot/front/intake.py).
FOUND_DEAD_SECONDS = 1.0


def retry_on_stale_connection(function: Callable[..., Result], *arguments: object) -> Result:
    """Return function(*arguments), retried once on a new connection if the present one is stale.

    The function must be idempotent. A health check before each request would cost a round trip.
    """
    # SQLite has no server to lose; a retry would only wait for a lock once more.
    once = connection.connection is None or connection.in_atomic_block or connection.vendor == "sqlite"
    began = time.monotonic()
    try:
        return function(*arguments)
    except (OperationalError, InterfaceError):
        if once or time.monotonic() - began > FOUND_DEAD_SECONDS:
            raise
        connection.close()
        return function(*arguments)

"""Survive a restart of the database: a persistent connection is found dead only when it is used."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

Result = TypeVar("Result")

# A connection that died while nobody used it is found dead at once. What fails later was under way: whoever asked for
# it may have been refused meanwhile (bot/front/intake.py), and it must not be done behind their back.
FOUND_DEAD_SECONDS = 1.0


def retry_on_stale_connection(function: Callable[..., Result], *arguments: object) -> Result:
    """Return function(*arguments), done once more on a new connection where the one there was has died.

    The function must be one that can be done twice. Asking before every request whether the connection lives would
    cost each a round trip.
    """
    # SQLite has no server to lose; trying again would only wait for a lock as long again.
    once = connection.connection is None or connection.in_atomic_block or connection.vendor == "sqlite"
    began = time.monotonic()
    try:
        return function(*arguments)
    except (OperationalError, InterfaceError):
        if once or time.monotonic() - began > FOUND_DEAD_SECONDS:
            raise
        connection.close()
        return function(*arguments)

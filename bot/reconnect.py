"""Survive a restart of the database: a persistent connection is found dead only when it is used."""

from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

Result = TypeVar("Result")


def on_a_live_connection(function: Callable[..., Result], *arguments: object) -> Result:
    """Return function(*arguments), done once more on a new connection where the one there was has died.

    The function must be one that can be done twice. Asking before every request whether the connection lives would
    cost each a round trip.
    """
    # (SQLite has no server to lose; trying again would only wait for a lock as long again.)
    once = connection.connection is None or connection.in_atomic_block or connection.vendor == "sqlite"
    try:
        return function(*arguments)
    except (OperationalError, InterfaceError):
        if once:
            raise
        connection.close()
        return function(*arguments)

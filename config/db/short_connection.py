"""A short-lived database connection with a timeout, for health probes."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections


@contextmanager
def brief_connection(seconds: int) -> Iterator[None]:
    """Use a separate connection in this thread, with a timeout in seconds, and close it at the end."""
    usual = connections[DEFAULT_DB_ALIAS]
    own = usual.copy()
    own.settings_dict["CONN_MAX_AGE"] = 0
    if own.vendor == "postgresql":
        own.settings_dict["OPTIONS"] |= {"connect_timeout": seconds, "client_timeout": seconds}
    else:
        own.settings_dict["OPTIONS"] |= {"timeout": seconds}
    connections[DEFAULT_DB_ALIAS] = own
    try:
        yield
    finally:
        own.close()
        connections[DEFAULT_DB_ALIAS] = usual

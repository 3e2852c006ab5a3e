"""Detection of a connection pooler (PgBouncer, a managed database's) in front of PostgreSQL.

In transaction mode a pooler gives each transaction another session: session state does not outlive it.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import psycopg

# Error texts: PgBouncer and Neon name the refused startup parameter, RDS Proxy command-line options.
REFUSALS = ("startup parameter", "command-line options")

Connection = TypeVar("Connection", bound="psycopg.Connection[Any]")
# Whether each server is a pooler.
_known: dict[tuple[Any, ...], bool] = {}


def connect_through(
    connect: Callable[[dict[str, Any]], Connection], parameters: dict[str, Any]
) -> tuple[Connection, bool]:
    """Return a new connection and whether it is a pooler's, detected once per process.

    Poolers refuse or ignore the startup parameter `options`, which is left out for them.

    Raises:
        psycopg.OperationalError: it cannot connect.
    """
    server = tuple(parameters.get(name) for name in ("host", "port", "dbname"))
    without = {name: value for name, value in parameters.items() if name != "options"}
    if _known.get(server):
        return connect(without), True
    try:
        connection = connect(parameters)
    except psycopg.OperationalError as error:
        if "options" not in parameters or not any(refusal in str(error).lower() for refusal in REFUSALS):
            raise
        connection, _known[server] = connect(without), True
    if server not in _known:
        try:
            _known[server] = _is_pooled(connection)
        except psycopg.Error:
            with suppress(psycopg.Error):
                connection.close()
            raise
    return connection, _known[server]


def forget() -> None:
    """Detect again at the next connection."""
    _known.clear()


def _is_pooled(connection: "psycopg.Connection[Any]") -> bool:
    """Return whether the backend process that answers differs from the one announced at connection start."""
    connection.autocommit = True
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return row is not None and row[0] != connection.info.backend_pid

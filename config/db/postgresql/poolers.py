"""Find out whether a connection pooler (PgBouncer, a managed database's) stands between us and PostgreSQL.

In transaction mode a pooler gives each transaction another session: what a session holds beyond it is not there.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import psycopg

# PgBouncer and Neon name the startup parameter that they refuse, RDS Proxy speaks of command-line options.
REFUSALS = ("startup parameter", "command-line options")

Connection = TypeVar("Connection", bound="psycopg.Connection[Any]")
# What each server of this process turned out to be.
_known: dict[tuple[Any, ...], bool] = {}


def connect_through(
    connect: Callable[[dict[str, Any]], Connection], parameters: dict[str, Any]
) -> tuple[Connection, bool]:
    """Return a new connection and whether it is a pooler's, which is asked once in each process.

    Poolers refuse or ignore the startup parameter `options`: they are connected to without.

    Raises:
        psycopg.OperationalError: there is no connection.
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
    """Ask again at the next connection."""
    _known.clear()


def _is_pooled(connection: "psycopg.Connection[Any]") -> bool:
    """Return whether the process that answers is another one than the connection was told of at its start."""
    connection.autocommit = True
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return row is not None and row[0] != connection.info.backend_pid

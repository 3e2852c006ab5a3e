"""The backend `config.db.postgresql`: Django's own with a client-side timeout.

statement_timeout does not end a statement while the server itself hangs: stopped, swapped out, or waiting for its disk.
Its TCP connections stay alive then, and psycopg would wait for ever. The option client_timeout limits the wait in
seconds; it has to be longer than statement_timeout.
"""

from types import SimpleNamespace
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from config.db.postgresql.connections import PatientConnection
from config.db.postgresql.poolers import connect_through


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's connection, with a timeout for every wait for the server."""

    # Django uses connect() and the exceptions of this module; only connect() is replaced.
    Database = SimpleNamespace(**{**vars(psycopg), "connect": PatientConnection.connect})  # type: ignore[assignment]

    def get_connection_params(self) -> dict[str, Any]:
        """Return the connection's parameters for psycopg, without client_timeout."""
        parameters: dict[str, Any] = super().get_connection_params()
        parameters.pop("client_timeout", None)
        return parameters

    # Whether a pooler is in between, through which no server-side cursor outlives its transaction.
    is_pooled = False

    def get_new_connection(self, conn_params: dict[str, Any]) -> PatientConnection:
        """Connect within connect_timeout seconds, and set client_timeout from then on."""
        connection, self.is_pooled = connect_through(self._connect, conn_params)
        return connection

    def _connect(self, parameters: dict[str, Any]) -> PatientConnection:
        connection: PatientConnection = super().get_new_connection(parameters)
        connection.client_timeout = self.settings_dict["OPTIONS"].get("client_timeout")
        # Otherwise Django would reconnect just to end the transaction.
        connection.on_no_answer = self.close
        return connection

    def chunked_cursor(self) -> Any:
        """Return a server-side cursor, which fetches in chunks; behind a pooler in autocommit, a plain one."""
        self.ensure_connection()
        return self.cursor() if self.is_pooled and self.get_autocommit() else super().chunked_cursor()

    def abort(self) -> None:
        """Break the connection, from any thread: a waiting call fails at once."""
        if self.connection is not None:
            self.connection.abort()

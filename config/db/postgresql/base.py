"""The backend `config.db.postgresql`: Django's own, over connections that give up on a server which does not answer.

PostgreSQL ends statements that take too long (statement_timeout), but not while it hangs itself: stopped, swapped out,
or waiting for its disk. A connection to it is alive then as TCP sees it, and psycopg would wait for ever.
The option client_timeout says for how many seconds it waits; it has to be longer than statement_timeout.
"""

from types import SimpleNamespace
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from config.db.postgresql.connections import PatientConnection
from config.db.postgresql.poolers import connect_through


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's connection, with a limit to every wait for the server."""

    # Django calls connect() of this module and takes its exceptions; only connect() is another one here.
    Database = SimpleNamespace(**{**vars(psycopg), "connect": PatientConnection.connect})  # type: ignore[assignment]

    def get_connection_params(self) -> dict[str, Any]:
        """Return the parameters of a connection as psycopg takes them: without our own."""
        parameters: dict[str, Any] = super().get_connection_params()
        parameters.pop("client_timeout", None)
        return parameters

    # Whether a pooler is in between: no cursor of the server's outlives its transaction there.
    is_pooled = False

    def get_new_connection(self, conn_params: dict[str, Any]) -> PatientConnection:
        """Connect (for connect_timeout seconds at most) and limit what is waited for from now on."""
        connection, self.is_pooled = connect_through(self._connect, conn_params)
        return connection

    def _connect(self, parameters: dict[str, Any]) -> PatientConnection:
        connection: PatientConnection = super().get_new_connection(parameters)
        connection.client_timeout = self.settings_dict["OPTIONS"].get("client_timeout")
        # Told at once that it is closed, Django does not connect anew just to end the transaction.
        connection.on_no_answer = self.close
        return connection

    def chunked_cursor(self) -> Any:
        """Return a cursor that fetches many rows bit by bit; behind a pooler, one that fetches them at once."""
        self.ensure_connection()
        return self.cursor() if self.is_pooled and self.get_autocommit() else super().chunked_cursor()

    def abort(self) -> None:
        """Break the connection, from any thread: whoever waits on it gets an error at once."""
        if self.connection is not None:
            self.connection.abort()

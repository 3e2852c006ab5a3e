"""The backend `config.postgresql`: Django's own, over connections that give up on a server which does not answer.

PostgreSQL ends statements that take too long (statement_timeout), but not while it hangs itself: stopped, swapped out,
or waiting for its disk. A connection to it is alive then as TCP sees it, and psycopg would wait for ever.
The option client_timeout says for how many seconds it waits; it has to be longer than statement_timeout.
"""

from types import SimpleNamespace
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from config.postgresql.connections import PatientConnection


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's connection, with a limit to every wait for the server."""

    # Django calls connect() of this module and takes its exceptions; only connect() is another one here.
    Database = SimpleNamespace(**{**vars(psycopg), "connect": PatientConnection.connect})  # type: ignore[assignment]

    def get_connection_params(self) -> dict[str, Any]:
        """Return the parameters of a connection as psycopg takes them: without our own."""
        parameters: dict[str, Any] = super().get_connection_params()
        parameters.pop("client_timeout", None)
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> PatientConnection:
        """Connect (for connect_timeout seconds at most) and limit what is waited for from now on."""
        connection: PatientConnection = super().get_new_connection(conn_params)
        connection.client_timeout = self.settings_dict["OPTIONS"].get("client_timeout")
        # Told at once that it is closed, Django does not connect anew just to end the transaction.
        connection.on_no_answer = self.close
        return connection

    def hang_up(self) -> None:
        """Break the connection, from any thread: whoever waits on it gets an error at once."""
        if self.connection is not None:
            self.connection.hang_up()

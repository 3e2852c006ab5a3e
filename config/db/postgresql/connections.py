"""A connection to PostgreSQL that does not wait for ever for a server that hangs."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import TupleRow

Result = TypeVar("Result")

# How often psycopg looks up from its waiting, for Ctrl-C.
INTERVAL_SECONDS = 0.1


class NoAnswer(psycopg.OperationalError):
    """The server did not answer in time. What it was asked may be done, may be undone, or may yet happen."""


class PatientConnection(psycopg.Connection[TupleRow]):
    """A connection whose every wait for the server ends after client_timeout seconds, and the connection with it."""

    client_timeout: float | None = None
    on_no_answer: Callable[[], None] | None = None

    def wait(self, gen: PQGen[Result], interval: float = INTERVAL_SECONDS, timeout: float | None = None) -> Result:
        """Wait for the server's answer, for client_timeout seconds unless the caller says how long.

        Raises:
            NoAnswer: it did not come.
        """
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.client_timeout)
        except psycopg.errors._WaitTimeout:
            # There is no way back: a late answer would be taken for the next statement's.
            self.close()
            if self.on_no_answer:
                self.on_no_answer()
            raise NoAnswer(f"no answer within {self.client_timeout} s") from None

    def abort(self) -> None:
        """Break the connection, from any thread: whoever waits on it gets an error at once."""
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self.pgconn.socket)) as same:
            same.shutdown(socket.SHUT_RDWR)

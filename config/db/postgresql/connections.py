"""A psycopg connection with a client-side timeout for servers that hang."""

import os
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import TupleRow

Result = TypeVar("Result")

# How often psycopg interrupts its waiting, for Ctrl-C.
INTERVAL_SECONDS = 0.1


class NoAnswer(psycopg.OperationalError):
    """The server did not answer in time. The statement may have been done, undone, or may yet be executed."""


class PatientConnection(psycopg.Connection[TupleRow]):
    """A connection that closes itself when a wait for the server exceeds client_timeout seconds."""

    client_timeout: float | None = None
    on_no_answer: Callable[[], None] | None = None

    def wait(self, gen: PQGen[Result], interval: float = INTERVAL_SECONDS, timeout: float | None = None) -> Result:
        """Wait for the server's answer, client_timeout seconds at most unless the caller gives a timeout.

        Raises:
            NoAnswer: the timeout passed.
        """
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.client_timeout)
        except psycopg.errors._WaitTimeout:
            # The connection is unusable: a late answer would be taken for the next statement's.
            self.close()
            if self.on_no_answer:
                self.on_no_answer()
            raise NoAnswer(f"no answer within {self.client_timeout} s") from None

    def abort(self) -> None:
        """Break the connection, from any thread: a waiting call fails at once."""
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(self.pgconn.socket)) as same:
            same.shutdown(socket.SHUT_RDWR)

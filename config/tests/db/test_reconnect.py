"""A persistent connection that has died is replaced by whoever finds it dead."""

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from config.db.reconnect import FOUND_DEAD_SECONDS, retry_on_stale_connection

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True), pytest.mark.promise("away")]


def ask() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return int(cursor.fetchone()[0])


def kill_connection() -> None:
    """End the test's own connection at the server, as a restart would."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server that could end a connection")
    connection.ensure_connection()
    parameters = connection.get_connection_params()
    login = {name: parameters[name] for name in ("dbname", "user", "host", "port") if name in parameters}
    with psycopg.connect(**login, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])


def test_what_meets_a_dead_connection_is_done_again_on_a_new_one() -> None:
    kill_connection()

    assert retry_on_stale_connection(ask) == 1


def test_a_transaction_is_not_continued_on_another_connection() -> None:
    kill_connection()

    with pytest.raises(OperationalError), transaction.atomic():
        retry_on_stale_connection(ask)


def test_a_new_connection_that_fails_is_not_tried_again() -> None:
    calls = []

    def fail() -> None:
        calls.append(1)
        raise OperationalError("the server is away")

    connection.close()
    with pytest.raises(OperationalError):
        retry_on_stale_connection(fail)
    assert len(calls) == 1


def test_sqlite_is_not_waited_for_twice() -> None:
    calls = []

    def fail() -> None:
        calls.append(1)
        raise OperationalError("database is locked")

    connection.ensure_connection()
    with pytest.raises(OperationalError):
        retry_on_stale_connection(fail)
    assert len(calls) == (1 if connection.vendor == "sqlite" else 2)


def test_what_fails_after_a_while_was_under_way_and_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, calls = [100.0], []
    monkeypatch.setattr("config.db.reconnect.time.monotonic", lambda: clock[0])

    def fail_late() -> None:
        calls.append(1)
        clock[0] += FOUND_DEAD_SECONDS + 0.1
        raise OperationalError("the server ended the connection")

    connection.ensure_connection()
    with pytest.raises(OperationalError):
        retry_on_stale_connection(fail_late)
    assert len(calls) == 1

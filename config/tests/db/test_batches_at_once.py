"""Batches beside everybody else: what is looked at, what is locked, and what somebody else does at that moment."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from config.db import batches
from config.db.batches import FIRST_SIZE, delete_in_batches
from users.tests.together import together

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
on_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite locks the database, not rows")


def groups(numbers, prefix="old"):
    return Group.objects.bulk_create([Group(pk=1_000_000 + n, name=f"{prefix} {n}") for n in numbers])


def old_groups():
    return Group.objects.filter(name__startswith="old")


def statements(queries: CaptureQueriesContext, begin: str) -> list[str]:
    return [query["sql"] for query in queries if query["sql"].startswith(begin)]


@contextmanager
def held(row: Group) -> Iterator[None]:
    """Another connection holds a row while the block runs."""
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Group.objects.select_for_update().get(pk=row.pk)
                locked.set()
                done.wait(20)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert locked.wait(10)
        yield
    finally:
        done.set()
        holder.join(10)


@pytest.mark.parametrize("step", [1, 2, 3, 50])
def test_rows_that_stay_between_rows_that_go(step: int) -> None:
    groups(range(0, 1_000, step))
    kept = groups((n for n in range(1_000) if n % step), "new")
    assert delete_in_batches(old_groups()) == len(range(0, 1_000, step))
    assert list(Group.objects.order_by("pk")) == kept


def test_rows_far_apart_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "LOOK_AHEAD", 1_000)
    groups([0, 1, 999, 1_001, 50_000, 70_000_000])
    kept = groups([2, 500, 30_000, 60_000_000, 80_000_000], "new")
    assert delete_in_batches(old_groups()) == 6
    assert list(Group.objects.order_by("pk")) == kept


def test_a_look_reads_no_more_keys_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "LOOK_AHEAD", 900)
    groups(range(0, 5_000, 10), "new")
    with CaptureQueriesContext(connection) as queries:
        assert delete_in_batches(old_groups()) == 0
    looks = [sql for sql in statements(queries, "SELECT") if "MAX(" in sql]
    assert len(looks) == 6, "a table of 5,000 keys, 900 at a time"
    assert all('"id" <= ' in sql for sql in looks)


def test_where_nothing_is_due_nothing_is_locked() -> None:
    groups(range(FIRST_SIZE * 3), "new")
    with CaptureQueriesContext(connection) as queries:
        delete_in_batches(old_groups())
    assert statements(queries, "SELECT")
    assert not any("FOR UPDATE" in query["sql"] for query in queries)
    assert statements(queries, "DELETE") == []
    if connection.vendor == "sqlite":
        # Not even for a moment: a transaction that is begun here has the one lock there is.
        assert statements(queries, "BEGIN") == []


def test_rows_side_by_side_are_not_looked_for_again() -> None:
    groups(range(FIRST_SIZE * 12))
    with CaptureQueriesContext(connection) as queries:
        assert delete_in_batches(old_groups()) == FIRST_SIZE * 12
    looks = [sql for sql in statements(queries, "SELECT") if "MAX(" in sql]
    assert len(looks) == 1, "where they begin; after the last there is no row to look at"
    assert len(statements(queries, "DELETE")) >= 3


@on_postgres
@pytest.mark.parametrize("position", [0, 1, 5])
def test_who_holds_a_row_does_not_stop_the_others_from_going(position: int) -> None:
    rows = groups(range(6))
    with held(rows[position]):
        assert delete_in_batches(old_groups()) == 5
    assert Group.objects.get() == rows[position]


@on_postgres
def test_what_a_batch_sets_ends_with_it() -> None:
    rows = groups(range(3))

    def settings() -> list[str]:
        with connection.cursor() as cursor:
            return [str(cursor.execute(f"SHOW {name}").fetchone()) for name in batches.SETTINGS]

    before = settings()
    with held(rows[0]):
        assert delete_in_batches(old_groups()) == 2
    assert settings() == before
    with transaction.atomic():
        assert delete_in_batches(old_groups()) == 1
        assert settings() == before


@on_postgres
def test_within_a_transaction_of_the_callers_nobody_is_waited_for_either() -> None:
    rows = groups(range(3))
    with held(rows[1]), transaction.atomic():
        assert delete_in_batches(old_groups()) == 2


def test_a_database_that_fails_is_not_taken_for_a_row_that_is_held() -> None:
    groups(range(3))
    failures = [OperationalError("the disk is full")]

    def fail(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if sql.startswith("DELETE") and failures:
            raise failures.pop()
        return execute(sql, *rest)

    with connection.execute_wrapper(fail), pytest.raises(OperationalError, match="full"):
        delete_in_batches(old_groups())
    assert Group.objects.count() == 3


def test_runs_in_parallel_count_each_row_once() -> None:
    groups(range(3_000))
    kept = groups(range(3_000, 3_010), "new")
    counts = together(*[lambda: delete_in_batches(old_groups())] * 3)
    assert [count for count in counts if isinstance(count, Exception)] == []
    # (A row that two wanted at the same moment may be left by both.)
    assert sum(counts) + delete_in_batches(old_groups()) == 3_000
    assert list(Group.objects.order_by("pk")) == kept


def test_a_run_that_is_killed_leaves_whole_batches() -> None:
    groups(range(FIRST_SIZE * 5))
    told = []

    def die(done: int, total: int | None) -> None:
        told.append(done)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delete_in_batches(old_groups(), progress=die)
    assert Group.objects.count() == FIRST_SIZE * 5 - told[-1]
    assert delete_in_batches(old_groups()) == FIRST_SIZE * 5 - told[-1]

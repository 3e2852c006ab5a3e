import io
import threading
from contextlib import suppress
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Group
from django.core.management.base import OutputWrapper
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from config.db import batches
from config.db.batches import FIRST_SIZE, LARGEST_SIZE, delete_in_batches, next_size, progress_line

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def groups(count, prefix="old"):
    return Group.objects.bulk_create([Group(name=f"{prefix} {number}") for number in range(count)])


def old_groups():
    return Group.objects.filter(name__startswith="old")


def test_every_matching_row_goes_and_no_other():
    groups(FIRST_SIZE * 2 + 1)
    kept = groups(3, "new")
    assert delete_in_batches(old_groups()) == FIRST_SIZE * 2 + 1
    assert list(Group.objects.order_by("pk")) == kept
    assert delete_in_batches(old_groups()) == 0


def test_an_order_of_the_queryset_does_not_matter():
    groups(FIRST_SIZE + 5)
    assert delete_in_batches(old_groups().order_by("-name")) == FIRST_SIZE + 5


def test_progress_is_told_after_each_batch_and_ends_at_the_total():
    groups(FIRST_SIZE + 5)
    told = []
    delete_in_batches(old_groups(), progress=lambda done, total: told.append((done, total)))
    assert told[0] == (FIRST_SIZE, FIRST_SIZE + 5)
    assert told[-1] == (FIRST_SIZE + 5, FIRST_SIZE + 5)


def test_rows_are_not_counted_when_nobody_watches():
    groups(2)
    with CaptureQueriesContext(connection) as queries:
        delete_in_batches(old_groups())
    assert not any("COUNT" in query["sql"] for query in queries)


def test_a_row_that_stops_matching_before_its_batch_survives():
    rows = groups(FIRST_SIZE + 5)

    def rename(done, total):
        Group.objects.filter(pk=rows[-1].pk).update(name="revived")

    assert delete_in_batches(old_groups(), progress=rename) == FIRST_SIZE + 4
    assert Group.objects.get().name == "revived"


def test_a_row_that_stops_matching_between_choice_and_deletion_survives():
    groups(3)

    def rename_before_the_deletion(execute, sql, params, many, context):
        if sql.startswith("DELETE"):
            with connection.cursor() as cursor:
                # Past the wrapper: straight to the driver.
                cursor.cursor.execute("UPDATE auth_group SET name = 'revived' WHERE name = 'old 1'")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(rename_before_the_deletion):
        assert delete_in_batches(old_groups()) == 2
    assert Group.objects.get().name == "revived"


@pytest.mark.django_db(transaction=True)
def test_rows_that_somebody_holds_are_left_for_the_next_run():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite locks the database, not rows")
    rows = groups(3)
    held, done = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                Group.objects.select_for_update().get(pk=rows[0].pk)
                held.set()
                done.wait(10)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert held.wait(10)
        assert delete_in_batches(old_groups()) == 2
    finally:
        done.set()
        holder.join(10)
    assert Group.objects.get() == rows[0]
    assert delete_in_batches(old_groups()) == 1


@pytest.mark.django_db(transaction=True)
def test_each_batch_is_a_transaction_of_its_own():
    groups(FIRST_SIZE + 5)
    seen = []

    def look(done, total):
        seen.append((connection.in_atomic_block, Group.objects.count()))

    delete_in_batches(old_groups(), progress=look)
    assert seen[0] == (False, 5)
    assert seen[-1] == (False, 0)


@pytest.mark.parametrize(
    ("size", "seconds", "expected"),
    [
        (200, 0.03, 200),  # on target
        (200, 0.06, 100),  # too slow: as much smaller as it was too slow
        (200, 3.0, 2),
        (200, 60.0, 1),
        (1, 60.0, 1),
        (200, 0.024, 250),
        (200, 0.001, 400),  # very fast: no more than twice as much at once
        (200, 0.0, 400),
        (LARGEST_SIZE, 0.001, LARGEST_SIZE),
    ],
)
def test_a_batch_is_sized_to_take_30_milliseconds(size, seconds, expected):
    assert next_size(size, seconds) == expected


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still but for what the test lets a batch take."""
    fake = SimpleNamespace(now=0.0, slept=[], seconds_of_a_batch=0.0)

    def monotonic():
        fake.now += fake.seconds_of_a_batch / 2
        return fake.now

    monkeypatch.setattr(batches, "time", SimpleNamespace(monotonic=monotonic, sleep=fake.slept.append))
    return fake


@pytest.mark.parametrize(("seconds", "sizes"), [(0.0, [200, 400, 300]), (0.12, [200, 50, 12, 3])])
def test_the_size_adapts_to_the_time_batches_take(clock, seconds, sizes):
    clock.seconds_of_a_batch = seconds * 2
    groups(900)
    told = [0]
    delete_in_batches(old_groups(), progress=lambda done, total: told.append(done))
    assert [later - earlier for earlier, later in pairwise(told)][: len(sizes)] == sizes


def test_other_writers_get_their_turn_where_one_lock_is_all_there_is(clock):
    clock.seconds_of_a_batch = 0.1
    groups(3)
    delete_in_batches(old_groups())
    expected = [pytest.approx(0.05)] if connection.vendor == "sqlite" else []
    assert clock.slept == expected


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_person_at_a_terminal_sees_one_line_that_goes_away():
    out = Terminal()
    with progress_line(OutputWrapper(out), "Deleting") as progress:
        assert progress is not None
        progress(1_200, 5_000)
        progress(7, None)
    assert out.getvalue() == "\rDeleting: 1,200 of 5,000\rDeleting: 7" + " " * 13 + "\r" + " " * 11 + "\r"


def test_the_line_goes_away_when_the_work_fails_too():
    out = Terminal()
    with suppress(RuntimeError), progress_line(OutputWrapper(out), "Deleting") as progress:
        assert progress is not None
        progress(1, 2)
        raise RuntimeError
    assert out.getvalue().endswith(" \r")


def test_a_log_file_gets_no_progress():
    out = io.StringIO()
    with progress_line(OutputWrapper(out), "Deleting") as progress:
        assert progress is None
    assert out.getvalue() == ""

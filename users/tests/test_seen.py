"""When somebody last wrote is noted once in a while."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from users.models import User
from users.seen import STEP, is_due, note_seen
from users.tests.factories import UserFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

NOON = datetime(2026, 3, 11, 12, 0, tzinfo=UTC)


def last_seen(person: User) -> datetime | None:
    return User.objects.values_list("last_seen_at", flat=True).get(pk=person.pk)


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (None, True),
        (NOON - STEP, True),
        (NOON - STEP + timedelta(seconds=1), False),
        (NOON + timedelta(hours=1), False),
    ],
)
def test_somebody_is_noted_again_after_a_while(last: datetime | None, due: bool) -> None:
    assert is_due(last, NOON) is due


def test_somebody_is_noted_on_each_day_they_write_so_that_a_day_misses_nobody() -> None:
    midnight = timezone.localtime(NOON).replace(hour=0, minute=0)
    assert is_due(midnight - timedelta(minutes=1), midnight + timedelta(minutes=1))


def test_many_are_noted_in_one_statement_each_with_their_time_and_nobody_in_none() -> None:
    people = UserFactory.create_batch(3)
    times = {person.pk: NOON + timedelta(minutes=number) for number, person in enumerate(people[:2])}
    with CaptureQueriesContext(connection) as captured:
        note_seen(times)
        note_seen({})
    assert sum("UPDATE" in query["sql"] for query in captured) == 1
    assert [last_seen(person) for person in people] == [NOON, NOON + timedelta(minutes=1), None]


def test_who_is_gone_is_nobody_to_note() -> None:
    note_seen({10**9: NOON})
    assert not User.objects.exists()

"""Many values as one parameter of a statement come back as they went in, on both databases."""

from datetime import UTC, datetime

import pytest

from config.db.sql import fetch, ids_value, in_ids, read_time, rows_source, rows_value, texts_source, texts_value
from users.models import User
from users.tests.factories import UserFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

MOMENT = datetime(2026, 11, 22, 10, 29, 27, 123456, tzinfo=UTC)
TEXT = 'Grüße, 東京 👋 "quoted" it\'s \\ back\nnew\tline %s %d {}'


def test_rows_are_a_table_of_a_statement() -> None:
    rows = [{"id": 9_007_199_254_740_993, "text": TEXT, "none": None}, {"id": -1, "text": "", "none": None}]
    source = rows_source("given", {"id": "bigint", "text": "text", "none": "text"})

    found = fetch(f"SELECT given.id, given.text, given.none FROM {source} ORDER BY given.id DESC", [rows_value(rows)])  # noqa: S608

    assert found == [(9_007_199_254_740_993, TEXT, None), (-1, "", None)]


def test_no_rows_are_an_empty_table() -> None:
    source = rows_source("given", {"id": "bigint"})
    assert fetch(f"SELECT given.id FROM {source}", [rows_value([])]) == []  # noqa: S608


def test_ids_and_texts_find_their_rows_and_none_of_them_none() -> None:
    one, two, _ = (UserFactory.create(name=name) for name in (TEXT, "two", "three"))

    def named(condition: str, value: str) -> list[str]:
        statement = f"SELECT name FROM users_user WHERE {condition} ORDER BY id"  # noqa: S608
        return [name for (name,) in fetch(statement, [value])]

    assert named(f"id {in_ids()}", ids_value([two.pk, one.pk, 0])) == [TEXT, "two"]
    assert named(f"id {in_ids()}", ids_value([])) == []
    assert named(f"name IN ({texts_source()})", texts_value([TEXT, "nobody"])) == [TEXT]
    assert named(f"name IN ({texts_source()})", texts_value([])) == []


def test_a_time_is_read_as_it_was_written_with_its_zone() -> None:
    user = UserFactory.create(last_seen_at=MOMENT)
    statement = f"SELECT last_seen_at, numbered_at FROM users_user WHERE id {in_ids()}"  # noqa: S608
    ((seen, never),) = fetch(statement, [ids_value([user.pk])])
    assert (read_time(seen), read_time(never)) == (MOMENT, None)
    assert read_time("2026-11-22 10:29:27.123456") == MOMENT
    assert User.objects.get(pk=user.pk).last_seen_at == MOMENT

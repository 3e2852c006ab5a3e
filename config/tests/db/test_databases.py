"""An emptied test database is what `migrate` leaves, although it is emptied and filled in a cheaper way."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.management import create_contenttypes
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection
from django_q.models import Schedule

from bot.models import Bot
from bot.tests.support.databases import copied_database
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def execute(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements on a database and return the rows of the last one, if any."""
    if url.startswith("sqlite:///"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            return [file.execute(statement).fetchall() for statement in statements][-1]
    with psycopg.connect(url, autocommit=True) as server:
        cursors = [server.execute(statement) for statement in statements]
        return cursors[-1].fetchall() if cursors[-1].description else []


LEFT_BY_MIGRATE = {ContentType, Permission, Schedule}


def everything() -> dict[str, list[dict[str, Any]]]:
    """Return all rows of content types and permissions, which are to be as they were."""
    tables = (ContentType.objects, Permission.objects)
    return {str(table.model): [dict(row) for row in table.order_by("id").values()] for table in tables}


def test_what_a_test_wrote_is_gone_and_what_migrate_leaves_is_back() -> None:
    before = everything()
    bot = Bot.objects.create(slug="shop", name="Shop", channel="console")
    user = User.objects.create_user("+4915112345678", is_whitelisted=True)
    user.user_permissions.add(Permission.objects.earliest("id"))
    own = ContentType.objects.create(app_label="own", model="own")
    Permission.objects.create(name="Can", codename="can", content_type=own)
    Permission.objects.filter(codename="add_user").update(name="changed")
    ContentType.objects.get_for_model(Bot).delete()
    assert bot.pk
    assert everything() != before

    call_command("flush", interactive=False, verbosity=0)

    assert everything() == before
    rest = [model for model in apps.get_models() if model not in LEFT_BY_MIGRATE]
    assert {model.__name__ for model in rest if model._default_manager.exists()} == set()
    assert Schedule.objects.count() == 2


def test_migrate_would_leave_the_same_content_types_and_permissions() -> None:
    call_command("flush", interactive=False, verbosity=0)
    before = everything()

    for config in apps.get_app_configs():
        create_contenttypes(config, verbosity=0)
        create_permissions(config, verbosity=0)

    assert everything() == before
    assert len(before[str(Permission)]) > 4 * len(LEFT_BY_MIGRATE)


def test_postgresql_is_emptied_by_deleting_unless_ids_are_to_begin_anew() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite empties by deleting anyway")
    statements = connection.ops.sql_flush(no_style(), ["users_user"], reset_sequences=False)
    assert statements == ['DELETE FROM "users_user"']
    assert "TRUNCATE" in str(connection.ops.sql_flush(no_style(), ["users_user"], reset_sequences=True))


def test_a_prepared_database_is_prepared_once_and_each_copy_is_ones_own(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    prepared: list[str] = []

    def prepare(url: str, folder: Path) -> None:
        prepared.append(url)
        execute(url, "CREATE TABLE kept (word varchar(9))", "INSERT INTO kept VALUES ('original')")

    for _ in range(2):
        with copied_database(tmp_path_factory.mktemp("copy"), prepare) as url:
            assert url not in prepared
            assert execute(url, "SELECT word FROM kept") == [("original",)]
            execute(url, "UPDATE kept SET word = 'changed'")
    assert len(prepared) == 1

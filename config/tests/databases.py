"""The suite's own databases, made cheap: they are emptied after hundreds of tests, and no crash will ever meet them."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.management import create_contenttypes
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.models import Model
from django.db.models.signals import post_migrate


def make_cheap(patch: pytest.MonkeyPatch) -> None:
    """Make it cheap to write to the test database of now, and to empty it. It was just migrated."""
    if connection.vendor == "postgresql":
        _wait_for_no_disk()
        _empty_by_deleting(patch)
    _put_back_what_migrate_leaves()


def _wait_for_no_disk() -> None:
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        # Of the database, not of our connections alone: a test's own processes are spared the wait as well.
        cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    # What was set counts from the next connection on.
    connection.close()


def _empty_by_deleting(patch: pytest.MonkeyPatch) -> None:
    """Let the tables be emptied by DELETE: TRUNCATE writes new files for every table and index.

    Nothing has to be in order: Django's foreign keys are checked when the transaction ends.
    """
    truncate: Callable[..., list[str]] = type(connection.ops).sql_flush

    def sql_flush(
        operations: BaseDatabaseOperations,
        style: Any,
        tables: Sequence[str],
        *,
        reset_sequences: bool = False,
        allow_cascade: bool = False,
    ) -> list[str]:
        if reset_sequences or allow_cascade or not tables:
            return truncate(operations, style, tables, reset_sequences=reset_sequences, allow_cascade=allow_cascade)
        return ["; ".join(f"DELETE FROM {operations.quote_name(table)}" for table in sorted(tables))]  # noqa: S608

    patch.setattr(type(connection.ops), "sql_flush", sql_flush)


def _put_back_what_migrate_leaves() -> None:
    """Let content types and permissions, of which each model has some, be put back as they are, not made out again.

    Django empties those tables as well, and then makes both out as after `migrate`, with hundreds of queries.
    """
    post_migrate.disconnect(create_contenttypes)
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")
    statements = [_insert(model) for model in (ContentType, Permission)]

    def put_back(**kwargs: Any) -> None:
        with connection.cursor() as cursor:
            for execute in statements:
                execute(cursor)

    post_migrate.connect(put_back, sender=apps.get_app_config("contenttypes"), weak=False)


def _insert(model: type[Model]) -> Callable[[Any], None]:
    """Return what inserts the rows that a table has now, those that are missing."""
    # (Named as their columns.)
    names = [field.attname for field in model._meta.concrete_fields]
    rows = list(model._default_manager.values_list(*names))
    row = f"({', '.join(['%s'] * len(names))})"
    into = f"{connection.ops.quote_name(model._meta.db_table)} ({', '.join(names)})"
    statement = f"INSERT INTO {into} VALUES {', '.join([row] * len(rows))} ON CONFLICT DO NOTHING"  # noqa: S608
    values = [value for row in rows for value in row]
    return lambda cursor: cursor.execute(statement, values)

"""The PostgreSQL backend: every wait has an end, and what is not psycopg's own stays out of its parameters."""

import pytest

from config.db.databases import database
from config.environment.casts import database_url

pytestmark = [pytest.mark.promise("connections"), pytest.mark.database]


def test_every_wait_for_postgresql_ends_a_little_after_its_own_limit() -> None:
    config = database(database_url("postgres://parley@db/parley"))

    assert config["ENGINE"] == "config.db.postgresql"
    assert config["OPTIONS"]["client_timeout"] == 20
    assert "statement_timeout=15000" in config["OPTIONS"]["options"]


def test_the_limits_can_be_set_in_the_database_url() -> None:
    config = database(
        database_url("postgres://parley@db/parley?client_timeout=60&options=-c%20statement_timeout=50000")
    )

    assert config["OPTIONS"]["client_timeout"] == 60
    assert config["OPTIONS"]["options"] == "-c statement_timeout=50000"


def test_sqlite_keeps_its_own_backend() -> None:
    config = database(database_url("sqlite:///file.sqlite3?timeout=1"))

    assert config["ENGINE"] == "django.db.backends.sqlite3"
    assert config["OPTIONS"]["timeout"] == 1

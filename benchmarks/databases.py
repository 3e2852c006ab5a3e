"""Databases of a run's own: created for one part, counted in, and dropped."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

DEFAULT_POSTGRES_URL = "postgres://postgres@127.0.0.1:5432/"
CONNECT_SECONDS = 3
SQLITE = "sqlite"
POSTGRESQL = "postgresql"


@dataclass(frozen=True, slots=True)
class Database:
    """One empty database; kind is "sqlite" or "postgresql", url as DATABASE_URL has it."""

    kind: str
    url: str

    def count(self, table: str, condition: str = "TRUE") -> int:
        """Return how many rows of a table fulfil a condition (both are our own words)."""
        statement = f"SELECT count(*) FROM {table} WHERE {condition}"  # noqa: S608 (our own words)
        return int(self.run(statement)[0][0])

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Execute one statement, commit it, and return its rows."""
        if self.kind == SQLITE:
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=20)) as file, file:
                return file.execute(statement).fetchall()
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


def postgres_url() -> str:
    """Return where the PostgreSQL server is: BENCH_POSTGRES_URL, or the usual place on this machine."""
    return os.environ.get("BENCH_POSTGRES_URL") or DEFAULT_POSTGRES_URL


def postgres_problem() -> str:
    """Return why no PostgreSQL database can be made, without credentials; empty when one can."""
    try:
        with _server() as connection:
            row = connection.execute("SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user")
            allowed = bool((row.fetchone() or (False,))[0])
    except psycopg.Error as error:
        parts = urlsplit(postgres_url())
        return (
            f"no PostgreSQL at {parts.hostname}:{parts.port or 5432} ({type(error).__name__}); set BENCH_POSTGRES_URL"
        )
    return "" if allowed else "the PostgreSQL user may not create databases; set BENCH_POSTGRES_URL"


def postgres_facts() -> dict[str, str]:
    """Return the server's version and the settings that decide what a commit costs."""
    with _server() as connection:
        names = ("server_version", "fsync", "synchronous_commit", "shared_buffers")
        rows = [connection.execute(f"SHOW {name}").fetchone() for name in names]
    return {name: str(row[0]) for name, row in zip(names, rows, strict=True) if row}


@contextmanager
def fresh(kind: str, name: str, directory: Path) -> Iterator[Database]:
    """Yield a new, empty database and drop it afterwards; directory is where SQLite's file lies."""
    name = f"parley_bench_{name}_{os.getpid()}"
    if kind == SQLITE:
        path = directory / f"{name}.sqlite3"
        yield Database(SQLITE, f"sqlite:///{path}")
        for file in directory.glob(f"{path.name}*"):
            file.unlink()
        return
    with _created(name) as database:
        yield database


@contextmanager
def copied(original: Database, name: str, directory: Path) -> Iterator[Database]:
    """Yield a copy of a database that nobody is connected to, in its very state, and drop it afterwards."""
    name = f"parley_bench_{name}_{os.getpid()}"
    if original.kind == SQLITE:
        original.run("PRAGMA wal_checkpoint(TRUNCATE)")
        path = directory / f"{name}.sqlite3"
        shutil.copyfile(original.url.removeprefix("sqlite:///"), path)
        yield Database(SQLITE, f"sqlite:///{path}")
        for file in directory.glob(f"{path.name}*"):
            file.unlink()
        return
    with _created(name, f"TEMPLATE {urlsplit(original.url).path[1:]}") as database:
        # So that whoever comes first does not pay for writing out the copy.
        database.run("CHECKPOINT")
        yield database


@contextmanager
def _created(name: str, options: str = "") -> Iterator[Database]:
    with _server() as connection:
        connection.execute(f"CREATE DATABASE {name} {options}")
        # For everybody who connects to it alike, whatever the server's own setting is.
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
    try:
        yield Database(POSTGRESQL, urlunsplit(urlsplit(postgres_url())._replace(path=f"/{name}")))
    finally:
        with _server() as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _server() -> "psycopg.Connection[tuple[Any, ...]]":
    url = urlunsplit(urlsplit(postgres_url())._replace(path="/postgres"))
    return psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS)

"""Databases for processes under test: empty ones, and copies of one that was prepared once."""

import os
import shutil
import sqlite3
from atexit import register
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import psycopg
from django.conf import settings

# Gets the URL of an empty database, and a folder for what it writes.
Prepare = Callable[[str, Path], None]

# What to prepare → the database it was prepared in: a file, or a name on the server.
_originals: dict[Prepare, str] = {}
# Several may be there at once, each of a test or of a module.
_numbers = count()


@contextmanager
def own_database(folder: Path, given: str | None = None) -> Iterator[str]:
    """Yield the URL of an empty database: the given one, else on the server (or kind of file) the suite runs on."""
    if given is not None:
        yield given
    elif _on_sqlite():
        yield f"sqlite:///{folder / 'system.sqlite3'}"
    else:
        with _database_on_server(f"parley_system_{os.getpid()}_{next(_numbers)}") as url:
            yield url


@contextmanager
def copied_database(folder: Path, prepare: Prepare) -> Iterator[str]:
    """Yield the URL of a copy of a prepared database: it is prepared once in this process, not once a test."""
    if prepare not in _originals:
        _originals[prepare] = _prepared(prepare, f"parley_original_{os.getpid()}_{len(_originals)}")
    original = _originals[prepare]
    if _on_sqlite():
        file = folder / "system.sqlite3"
        with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(file)) as copy:
            source.backup(copy)
        yield f"sqlite:///{file}"
    else:
        with _database_on_server(f"parley_system_{os.getpid()}_{next(_numbers)}", original) as url:
            yield url


def _prepared(prepare: Prepare, name: str) -> str:
    """Return the file or the name of a new, prepared database, which is deleted when this process ends."""
    folder = Path(mkdtemp(prefix="parley-original-"))
    register(shutil.rmtree, folder, ignore_errors=True)
    if _on_sqlite():
        name = str(folder / f"{name}.sqlite3")
        prepare(f"sqlite:///{name}", folder)
    else:
        until_the_end = ExitStack()
        register(until_the_end.close)
        prepare(until_the_end.enter_context(_database_on_server(name)), folder)
    return name


@contextmanager
def _database_on_server(name: str, original: str = "template1") -> Iterator[str]:
    """Create a database on the server the suite runs on, as a copy of another one; yield its URL, and drop it."""
    config = settings.DATABASES["default"]
    login = f"{config['USER'] or 'postgres'}:{config['PASSWORD'] or ''}"
    place = f"{login}@{config['HOST'] or 'localhost'}:{config['PORT'] or 5432}"
    with psycopg.connect(f"postgresql://{place}/postgres", autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}"')
        # It is the processes that crash here, not the server.
        server.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        try:
            yield f"postgres://{place}/{name}"
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _on_sqlite() -> bool:
    return str(settings.DATABASES["default"]["ENGINE"]).endswith("sqlite3")

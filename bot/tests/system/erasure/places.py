"""Search every place where something is kept: tables, what models read from them, Redis, files."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field

from bot.tests.system.erasure.spellings import Search

ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, order=True)
class Found:
    """That a value stands somewhere: in which table, key or file, where in it, and which value it is."""

    place: str
    where: str
    what: str


def in_tables(connection: BaseDatabaseWrapper, search: Search) -> set[Found]:
    """Search every column of every row of every table and view there is, whether a model knows it or not."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor, include_views=True):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            columns = [column[0] for column in cursor.description]
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                for row in rows:
                    for column, value in zip(columns, row, strict=True):
                        found |= {Found(table, column, what) for what in search.find(value)}
    return found


def in_models(search: Search) -> set[Found]:
    """Search what models make of their columns: decrypted, unpickled, however they are stored."""
    found = set()
    for model in apps.get_models(include_auto_created=True):
        fields = [field for field in model._meta.concrete_fields if isinstance(field, Field)]
        for row in model._base_manager.all().iterator(ROWS_AT_ONCE):
            for field in fields:
                value = getattr(row, field.attname)
                found |= {Found(model._meta.label, field.name, what) for what in search.find(value)}
    return found


def in_redis(url: str, search: Search) -> set[Found]:
    """Search every key of a Redis database and what it holds, whatever its type."""
    found = set()
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(count=ROWS_AT_ONCE):
            name = key.decode(errors="replace")
            found |= {Found("redis", name, what) for what in search.find(key)}
            for value in _values(client, key):
                found |= {Found("redis", name, what) for what in search.find(value)}
    return found


def _values(client: Any, key: bytes) -> Iterator[Any]:
    match client.type(key):
        case b"string":
            yield client.get(key)
        case b"hash":
            for pair in client.hgetall(key).items():
                yield from pair
        case b"list":
            yield from client.lrange(key, 0, -1)
        case b"set":
            yield from client.smembers(key)
        case b"zset":
            yield from client.zrange(key, 0, -1)
        case b"stream":
            for id, fields in client.xrange(key):
                yield id
                for pair in fields.items():
                    yield from pair
        case b"none":
            return  # it expired meanwhile
        case kind:
            raise NotImplementedError(f"cannot search a {kind.decode()}")


def in_files(folder: Path, search: Search, *, leave_out: Collection[str] = (), since: float = 0) -> set[Found]:
    """Search the files of a folder and of those in it, their names too.

    leave_out: patterns of names; since: only what was written after this moment (of time.time()).

    A file may vanish while it is looked for: then there is nothing of it left to search.
    """
    found = set()
    for path in sorted(folder.rglob("*")):
        if any(path.match(pattern) for pattern in leave_out):
            continue
        if since and (not path.exists() or path.stat().st_mtime < since):
            continue
        name = str(path.relative_to(folder))
        found |= {Found("file", name, what) for what in search.find(name)}
        if path.is_file():
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            found |= {Found("file", name, what) for what in search.find(content)}
    return found


def in_sqlite_file(connection: BaseDatabaseWrapper, search: Search) -> set[Found]:
    """Search the bytes of an SQLite database and of its log, once that is written back: free pages are among them."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        cursor.execute("PRAGMA database_list")
        (path,) = (Path(row[2]) for row in cursor.fetchall() if row[1] == "main")
    found = set()
    for file in path.parent.glob(f"{path.name}*"):
        found |= {Found("file", file.name, what) for what in search.find(file.read_bytes(), depth=0)}
    return found


def overwrites_what_it_deletes(connection: BaseDatabaseWrapper) -> bool:
    """Return whether SQLite writes zeros over what is deleted: only then its file holds nothing of it."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA secure_delete")
        return bool(cursor.fetchone()[0] == 1)

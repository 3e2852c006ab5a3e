"""What is left in SQLite's file of what was deleted."""

import sqlite3
from contextlib import closing
from pathlib import Path

from config.db.databases import SQLITE_OPTIONS

TEXT = "what somebody said to nobody else"


def test_deleted_text_is_overwritten_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # (As it is compiled by default; distributions differ.)
        connection.execute("PRAGMA secure_delete=OFF")
        connection.executescript(str(SQLITE_OPTIONS["init_command"]))
        connection.execute("CREATE TABLE said (id INTEGER PRIMARY KEY, content TEXT)")
        # Long ones lie in pages of their own, which are given back as a whole.
        rows = [(f"{TEXT} {number}" * (1 + number % 2 * 300),) for number in range(500)]
        connection.executemany("INSERT INTO said (content) VALUES (?)", rows)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        assert TEXT.encode() in path.read_bytes()
        connection.execute("DELETE FROM said WHERE id > 3")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        left = path.read_bytes()
    assert f"{TEXT} 1".encode() in left, "what stays is there"
    assert f"{TEXT} 4".encode() not in left
    assert f"{TEXT} 499".encode() not in left

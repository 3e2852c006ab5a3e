"""What others notice while something holds locks: looked at from another connection, every few milliseconds."""

import sqlite3
import time
from contextlib import closing
from threading import Event
from typing import Any

import psycopg

from benchmarks.databases import Database

# libpq names the purge's connection so.
APPLICATION = "parley-bench-purge"
LOOK_SECONDS = 0.004
WRITE_SECONDS = 0.02
# A transaction has an id of its own once it has written or locked something.
ACTIVE = """
    SELECT pid, xact_start, extract(epoch FROM clock_timestamp() - xact_start) * 1000
    FROM pg_stat_activity WHERE application_name = %s AND backend_xid IS NOT NULL AND datname = current_database()
"""
WAITING = """
    SELECT pid, waitstart, extract(epoch FROM clock_timestamp() - waitstart) * 1000
    FROM pg_locks WHERE NOT granted AND waitstart IS NOT NULL
        AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name <> %s)
"""


def watch_locks(database: Database, stop: Event) -> dict[str, list[float]]:
    """Return how long transactions of the purge that may hold locks were open, and how long others waited, each in ms.

    Both as seen last before they ended: a few milliseconds short.
    """
    transactions: dict[tuple[Any, ...], float] = {}
    waits: dict[tuple[Any, ...], float] = {}
    with psycopg.connect(database.url, autocommit=True) as connection:
        while not stop.wait(LOOK_SECONDS):
            for found, statement in ((transactions, ACTIVE), (waits, WAITING)):
                for pid, began, milliseconds in connection.execute(statement, [APPLICATION]):
                    found[pid, began] = float(milliseconds)
    return {"transactions with locks": list(transactions.values()), "waits for locks": list(waits.values())}


def write_steadily(database: Database, stop: Event) -> dict[str, list[float]]:
    """Write one row after the other, each in a transaction; return what each took from asking for the lock, in ms."""
    took = []
    path = database.url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as file:
        file.execute("PRAGMA synchronous=NORMAL")
        live = "(SELECT MAX(id) FROM conversations_conversation WHERE expires_at > datetime('now', '+1 day'))"
        while not stop.wait(WRITE_SECONDS):
            began = time.perf_counter()
            file.execute("BEGIN IMMEDIATE")
            # (Our own words.)
            file.execute(f"UPDATE conversations_conversation SET created_at = created_at WHERE id = {live}")  # noqa: S608
            file.execute("COMMIT")
            took.append((time.perf_counter() - began) * 1_000)
    return {"a writer": took}

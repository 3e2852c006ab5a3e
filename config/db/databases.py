"""The database's configuration for Django, with the options that each engine needs under load."""

from typing import Any

SQLITE_OPTIONS = {
    # A writer waits for its turn instead of failing; readers never wait for a writer.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # What is deleted is overwritten: whether SQLite does so by itself depends on who compiled it.
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=134217728; "
        # A checkpoint stops all writing: with the default of 1,000 pages, one webhook in fifty waited for one.
        "PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=4000"
    ),
}
POSTGRESQL_OPTIONS = {
    "connect_timeout": 5,
    # Longer than the server's own limit below, which it can't keep when it hangs itself (config/db/postgresql/base.py).
    "client_timeout": 20,
    # A statement or a transaction that hangs is ended by the server, so that no lock stays behind. Poolers take no
    # options; there the role has to have them.
    "options": "-c statement_timeout=15000 -c idle_in_transaction_session_timeout=30000",
}


def database(config: dict[str, Any]) -> dict[str, Any]:
    """Return Django's database configuration with the options each engine needs under load."""
    sqlite = config["ENGINE"].endswith("sqlite3")
    own = SQLITE_OPTIONS if sqlite else POSTGRESQL_OPTIONS
    engine = config["ENGINE"] if sqlite else "config.db.postgresql"
    return {**config, "ENGINE": engine, "CONN_MAX_AGE": 60, "OPTIONS": {**own, **config.get("OPTIONS", {})}}

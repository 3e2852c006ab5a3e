"""Django's database configuration, with the options that each engine needs under load."""

from typing import Any

SQLITE_OPTIONS = {
    # A writer waits for the lock instead of failing; readers never wait for a writer.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # Overwrite deleted content: SQLite's default depends on the build.
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=134217728; "
        # A checkpoint blocks writers: with the default of 1,000 pages, one webhook in fifty waited for one.
        "PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=4000"
    ),
}
POSTGRESQL_OPTIONS = {
    "connect_timeout": 5,
    # Longer than statement_timeout below, which a hanging server cannot enforce (config/db/postgresql/base.py).
    "client_timeout": 20,
    # The server ends hanging statements and transactions, so that no lock stays behind. Poolers refuse options; there
    # the role must have them.
    "options": "-c statement_timeout=15000 -c idle_in_transaction_session_timeout=30000",
}


def database(config: dict[str, Any]) -> dict[str, Any]:
    """Return Django's database configuration with the options each engine needs under load."""
    sqlite = config["ENGINE"].endswith("sqlite3")
    own = SQLITE_OPTIONS if sqlite else POSTGRESQL_OPTIONS
    engine = config["ENGINE"] if sqlite else "config.db.postgresql"
    return {**config, "ENGINE": engine, "CONN_MAX_AGE": 60, "OPTIONS": {**own, **config.get("OPTIONS", {})}}

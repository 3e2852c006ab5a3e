"""PgBouncer in transaction mode in front of a PostgreSQL server that a test owns."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from bot.tests.system.faults.binaries import ServerProcess, find_binary
from bot.tests.system.faults.servers import PostgresServer


def reason_to_skip() -> str:
    """Return why it cannot be started here; empty when it can."""
    found = shutil.which("pgbouncer") or find_binary("pgbouncer")
    return PostgresServer.reason_to_skip() or ("" if found else "not installed here: pgbouncer")


@contextmanager
def running_pooler(server: PostgresServer, database: str, *, ignores_options: bool) -> Iterator[str]:
    """Yield the DATABASE_URL of a database through PgBouncer, which refuses or ignores the parameter `options`."""
    process = ServerProcess("pgbouncer")
    url = f"postgres://postgres@127.0.0.1:{process.port}/{database}"
    (process.folder / "users.txt").write_text('"postgres" ""\n')
    (process.folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={server.process.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {process.port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {process.folder}/users.txt\n"
        "pool_mode = transaction\ndefault_pool_size = 5\n"
        + ("ignore_startup_parameters = options\n" if ignores_options else "")
    )

    def answers() -> bool:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    try:
        process.launch([str(find_binary("pgbouncer")), str(process.folder / "pgbouncer.ini")], answers)
        yield url
    finally:
        process.end(signal.SIGINT)
        process.remove()

"""PostgreSQL and Redis as servers that a test owns: it may stop, suspend, restart and cripple them as it likes."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
import redis

from bot.tests.system.faults.binaries import ServerProcess, find_binary, signal_process
from bot.tests.system.faults.binaries import reason_to_skip as reason_to_skip_binaries

# Data that no power cut will ever meet, and little memory: it is started for a handful of tests.
POSTGRES_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "max_wal_size": "64MB",
}
# Our own errands work while everybody else finds the database read-only.
ERRAND_OPTIONS = "-c default_transaction_read_only=off"


class OwnServer:
    """What both servers share: started on entry, ended and removed on exit."""

    process: ServerProcess
    # What ends it at once, and its own processes with it.
    quit_signal = signal.SIGQUIT

    def start(self) -> None:
        """Start the server and wait until it answers."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the server in order; its data stays."""
        raise NotImplementedError

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def suspend(self) -> None:
        """Let it hang: every connection stays open and nobody answers (SIGSTOP)."""
        self.process.suspend()

    def resume(self) -> None:
        """Let a suspended server, and every one of its processes, go on (SIGCONT)."""
        self.process.resume()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the server at once and delete its data."""
        self.process.end(self.quit_signal)
        self.process.remove()


class PostgresServer(OwnServer):
    """A PostgreSQL server: `with PostgresServer() as server: server.create_database("parley")`."""

    def __init__(self) -> None:
        self.process = ServerProcess("postgres")
        self.data = self.process.folder / "data"

    @staticmethod
    def reason_to_skip() -> str:
        """Return why it cannot be started here; empty when it can."""
        return reason_to_skip_binaries("initdb", "postgres")

    @property
    def url(self) -> str:
        """Return the DATABASE_URL of the server's own database."""
        return self.url_of("postgres")

    def url_of(self, name: str) -> str:
        """Return the DATABASE_URL of a database."""
        return f"postgres://postgres@127.0.0.1:{self.process.port}/{name}"

    def create_database(self, name: str, original: str = "template1") -> str:
        """Create a database, an empty one or a copy of another, and return its DATABASE_URL."""
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}"')
        return self.url_of(name)

    def start(self) -> None:
        """Start the server and wait until it answers; the first time, create its files."""
        if not self.data.exists():
            self.process.run(
                str(find_binary("initdb")), "--pgdata", str(self.data), "--username", "postgres", "--auth", "trust",
                "--encoding", "UTF8", "--locale", "C", "--no-sync",
            )  # fmt: skip
        options = [word for name, value in POSTGRES_OPTIONS.items() for word in ("-c", f"{name}={value}")]
        command = [str(find_binary("postgres")), "-D", str(self.data), "-p", str(self.process.port), *options]
        self.process.launch(command, self.answers)

    def stop(self, mode: str = "fast") -> None:
        """End the server: "fast" as an administrator would, "immediate" as a crash would."""
        self.process.end(signal.SIGINT if mode == "fast" else signal.SIGQUIT)

    def restart(self, mode: str = "fast") -> None:
        """Stop and start."""
        self.stop(mode)
        self.start()

    def answers(self) -> bool:
        """Return whether it takes connections."""
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def backends(self) -> list[int]:
        """Return the process ids of all clients' connections but this one."""
        rows = self.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return [int(pid) for (pid,) in rows]

    def suspend_backends(self) -> list[int]:
        """Let the connections of now hang, while the server takes new ones; return their process ids."""
        pids = self.backends()
        for pid in pids:
            signal_process(pid, signal.SIGSTOP)
        return pids

    def terminate_backends(self) -> int:
        """End every client's connection, whatever it is in the middle of, and return how many there were."""
        pids = self.backends()
        for pid in pids:
            self.execute(f"SELECT pg_terminate_backend({pid})")
        return len(pids)

    def set_read_only(self, read_only: bool) -> None:
        """Make every transaction from now on read-only by default, or writable again."""
        self.execute(f"ALTER SYSTEM SET default_transaction_read_only = {'on' if read_only else 'off'}")
        self.execute("SELECT pg_reload_conf()")
        # It counts in another session once that has seen the signal; a new one that shows it came after.
        wanted = [("on" if read_only else "off",)]
        while self.execute("SHOW default_transaction_read_only", options="") != wanted:
            time.sleep(0.02)

    def execute(self, statement: str, database: str = "postgres", options: str = ERRAND_OPTIONS) -> list[Any]:
        """Run one statement over a connection of its own and return its rows."""
        with self.connection(database, options) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def connection(self, database: str, options: str = ERRAND_OPTIONS) -> Iterator["psycopg.Connection[Any]"]:
        """Yield a connection in autocommit mode."""
        url = self.url_of(database)
        with psycopg.connect(url, autocommit=True, connect_timeout=5, options=options) as connection:
            yield connection


class RedisServer(OwnServer):
    """A Redis server without persistence: a restart loses everything, as the worst case does."""

    # It has no handler of SIGQUIT, and ignores it if whoever started the suite did (`make test &` in a script).
    quit_signal = signal.SIGKILL

    def __init__(self) -> None:
        self.process = ServerProcess("redis")

    @staticmethod
    def reason_to_skip() -> str:
        """Return why it cannot be started here; empty when it can."""
        return reason_to_skip_binaries("redis-server")

    @property
    def url(self) -> str:
        """Return its REDIS_URL."""
        return f"redis://127.0.0.1:{self.process.port}/0"

    def client(self) -> redis.Redis:
        """Return a client of it, which gives up soon."""
        return redis.Redis.from_url(self.url, socket_timeout=5, socket_connect_timeout=5)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        command = [
            str(find_binary("redis-server")), "--port", str(self.process.port), "--bind", "127.0.0.1",
            "--save", "", "--appendonly", "no", "--dir", str(self.process.folder),
        ]  # fmt: skip
        self.process.launch(command, self.answers)

    def stop(self) -> None:
        """End the server."""
        self.process.end(signal.SIGTERM)

    def flush(self) -> None:
        """Forget everything."""
        with self.client() as client:
            client.flushall()

    def answers(self) -> bool:
        """Return whether it answers."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

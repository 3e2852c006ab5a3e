"""A whole Parley in real processes (granian, runworker) with stand-ins for the model and the Cloud API, for tests."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import psycopg

from bot.dev.standins.process import StandIn
from bot.tests.support.databases import copied_database
from bot.tests.support.databases import own_database as own_database
from bot.tests.support.factories import ACCESS_TOKEN, ALICE, APP_SECRET, BOB, PHONE_NUMBER_ID, VERIFY_TOKEN, signature
from bot.tests.system.faults.binaries import free_port

# Whitelisted like Alice and Bob, for tests that need many chats.
PEOPLE = [f"+4915130000{number:03}" for number in range(200)]
PROJECT = Path(__file__).resolve().parents[3]


def flags_of(process: str) -> list[str]:
    """Return granian's flags of a line of the Procfile, without those a test chooses itself."""
    lines = (PROJECT / "Procfile").read_text().splitlines()
    words = next(line for line in lines if line.startswith(f"{process}:")).split()
    flags = words[words.index("granian") + 1 : -1]
    for name in ("--log-config", "--host", "--port", "--uds", "--workers-kill-timeout", "--blocking-threads"):
        if name in flags:
            position = flags.index(name)
            del flags[position : position + 2]
    return flags


FRONT, PAGES = flags_of("web"), flags_of("pages")
OPENER = build_opener(ProxyHandler({}))

SEED = f"""
from bot.models import Bot
from users.models import User
Bot.objects.create(slug="shop", name="Shop", channel="whatsapp", account_id={PHONE_NUMBER_ID!r}, credentials={{
    "app_secret": {APP_SECRET!r}, "access_token": {ACCESS_TOKEN!r}, "verify_token": {VERIFY_TOKEN!r}}})
for number in ({ALICE!r}, {BOB!r}, *{PEOPLE!r}):
    User.objects.create_user(number, is_whitelisted=True)
"""


class System:
    """Processes of one Parley on one database. Ends only what it started."""

    def __init__(
        self,
        database_url: str,
        model: StandIn,
        whatsapp: StandIn,
        folder: Path,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.model, self.whatsapp, self.folder = model, whatsapp, folder
        self.port = free_port()
        self.people = iter(PEOPLE)
        self.processes: list[subprocess.Popen[bytes]] = []
        # Short: the kernel's address of a socket holds hundred bytes, and pytest's folders have long names.
        self.sockets = Path(tempfile.mkdtemp(prefix="parley-"))
        self.environment = {
            **os.environ,
            "ENVIRONMENT": "test",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": database_url,
            "LLM_PROVIDER": "openai",
            "OPENAI_BASE_URL": f"{model.url}/v1",
            "WHATSAPP_API_URL": f"{whatsapp.url}/v26.0",
            "PAGES_SOCKET": str(self.sockets / "pages"),
            "RATE_LIMIT_PER_USER": "1000",
            **(environment or {}),
        }

    def manage(self, *words: str) -> str:
        """Run a management command to its end and return what it printed."""
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(command, env=self.environment, cwd=PROJECT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def migrate_and_seed(self) -> None:
        """Make its empty database that of a shop with whitelisted people."""
        self.manage("migrate", "--verbosity", "0")
        self.manage("shell", "--verbosity", "0", "--command", SEED)

    def start_web(self, port: int | None = None, **environment: str) -> subprocess.Popen[bytes]:
        """Start a web process, with variables of its own, and wait until it answers webhooks and probes."""
        port = port or self.port
        process = self._start(
            sys.executable, "-m", "granian", "--log-config", "config/granian.json",
            *("--workers-kill-timeout", "10", "--port", str(port), *FRONT, "config.rsgi:application"), **environment,
        )  # fmt: skip
        wait_for(lambda: self.get("/healthz", port) == 200, "the web process answers")
        return process

    def start_pages(self, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start the process that renders pages, with variables of its own, and wait until it listens."""
        path = environment.get("PAGES_SOCKET", self.environment["PAGES_SOCKET"])
        Path(path).unlink(missing_ok=True)  # as the Procfile does: what was killed leaves its socket behind
        process = self._start(
            sys.executable, "-m", "granian", "--log-config", "config/granian.json",
            *("--workers-kill-timeout", "10", *PAGES, *options), *("--uds", path, "config.wsgi:application"),
            **environment,
        )  # fmt: skip
        wait_for(lambda: listens(path), "the pages' process listens")
        return process

    def start_worker(self, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker process, with variables of its own."""
        return self._start(sys.executable, "manage.py", "runworker", *options, **environment)

    def start_scheduler(self) -> subprocess.Popen[bytes]:
        """Start a scheduler process."""
        return self._start(sys.executable, "manage.py", "qcluster")

    def log_of(self, process: subprocess.Popen[bytes]) -> str:
        """Return what a process wrote so far."""
        return (self.folder / f"process-{self.processes.index(process)}.log").read_text(errors="replace")

    def get(self, path: str, port: int | None = None) -> int:
        """Return the status of a GET; 0 while nothing listens."""
        return self._open(Request(f"http://127.0.0.1:{port or self.port}{path}"))

    def post(
        self, body: bytes, signed: str | None = None, port: int | None = None, path: str = "/webhooks/whatsapp/shop/"
    ) -> int:
        """Deliver a webhook body, to the shop if no path is given, and return the status; 0 when no answer came."""
        given = signature(body) if signed is None else signed
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": given}
        return self._open(Request(f"http://127.0.0.1:{port or self.port}{path}", body, headers))

    def sends(self) -> list[dict[str, Any]]:
        """Return the bodies of the texts the Cloud API was asked to send."""
        return [request["body"] for request in self.sends_received()]

    def sends_received(self) -> list[dict[str, Any]]:
        """Return the requests that asked the Cloud API to send a text, refused ones included."""
        return [request for request in self.whatsapp.requests() if (request["body"] or {}).get("type") == "text"]

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one SQL statement on the system's database, past every layer of ours, and return its rows, if any."""
        url = self.environment["DATABASE_URL"]
        if url.startswith("sqlite:///"):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as file, file:
                return file.execute(statement).fetchall()
        # (Without what only Django understands.)
        with psycopg.connect(url.partition("?")[0], autocommit=True, options="-c timezone=UTC") as server:
            cursor = server.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def half_a_minute_passes(self) -> None:
        """Let every lease run out now, as it would by itself 30 seconds after its worker died."""
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        self.rows(f"UPDATE bot_lease SET expires_at = '{now}' WHERE worker <> ''")  # noqa: S608

    def stop(self) -> None:
        """End every process that still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _start(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"process-{len(self.processes)}.log"
        own = {**self.environment, **environment}
        with log.open("wb") as stream:
            # A session of its own: some tests signal a whole process group.
            process = subprocess.Popen(
                command, env=own, cwd=PROJECT, stdout=stream, stderr=stream, start_new_session=True
            )
        self.processes.append(process)
        return process

    @staticmethod
    def _open(request: Request) -> int:
        try:
            with OPENER.open(request, timeout=30) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code
        except (OSError, HTTPException):
            return 0


def listens(path: str) -> bool:
    """Return whether somebody listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(path) == 0


# By which credentials are encrypted, and when schedules run.
SHAPING = frozenset({"SECRET_KEY", "TIME_ZONE"})


@contextmanager
def running_system(
    folder: Path,
    database_url: str | None = None,
    environment: dict[str, str] | None = None,
    *,
    seeded: bool = False,
) -> Iterator[System]:
    """Yield a migrated, seeded system with both stand-ins up and no process started yet.

    It has a database of its own, unless one is given: an empty one, or with seeded one that is migrated and seeded.
    environment adds to its processes' variables.
    """
    # (What is seeded depends on some variables: who sets them gets no copy of what was made without.)
    copied = database_url is None and SHAPING.isdisjoint(environment or {})
    with (
        copied_database(folder, migrate_and_seed) if copied else own_database(folder, database_url) as url,
        stand_in("model", folder) as model,
        stand_in("whatsapp", folder) as whatsapp,
    ):
        system = System(url, model, whatsapp, folder, environment)
        try:
            if not copied and not seeded:
                system.migrate_and_seed()
            yield system
        finally:
            system.stop()
            # Not always those that were started above: some tests restart them.
            system.model.stop()
            system.whatsapp.stop()


def stand_in(kind: str, folder: Path, port: int = 0) -> StandIn:
    """Start a stand-in that goes on with the log of the one before it in this folder."""
    return StandIn.start(kind, port=port, log=folder / f"{kind}.jsonl")


def migrate_and_seed(database_url: str, folder: Path) -> None:
    """Make an empty database that of a shop with whitelisted people. (Nobody asks a stand-in for anything.)"""
    nobody = cast("StandIn", SimpleNamespace(url="http://127.0.0.1:1"))
    System(database_url, nobody, nobody, folder).migrate_and_seed()


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until condition holds.

    Raises:
        AssertionError: it did not in time.
    """
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, f"not in time: {what}"
        time.sleep(0.05)

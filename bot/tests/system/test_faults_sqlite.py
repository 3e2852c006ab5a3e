"""SQLite is locked by somebody else, full or read-only: 503, nothing half-written, and it recovers by itself."""

import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from bot.models import InboundMessage
from bot.tests.support.factories import WhatsAppBotFactory, signature, whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.processes import System, running_system, wait_for
from bot.tests.system.faults.binaries import children

pytestmark = pytest.mark.promise("away", "locked, full, read-only")


def delivery(name: str) -> bytes:
    """Return a delivery of two messages and a status, which go in together."""
    messages = [whatsapp_message("one", id=f"{name}.1"), whatsapp_message("two", id=f"{name}.2")]
    return whatsapp_body(whatsapp_value(messages=messages, statuses=[{"id": "wamid.unknown", "status": "read"}]))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sqlite") / "system.sqlite3"


@pytest.fixture(scope="module")
def system(file: Path) -> Iterator[System]:
    # A writer waits for a second, not for twenty, until it says that the database is locked.
    with running_system(file.parent, f"sqlite:///{file}?timeout=1") as running:
        process = running.start_web()
        yield running
        assert process.poll() is None, "the web process lived through everything"


@contextmanager
def locked(file: Path, system: System) -> Iterator[None]:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def full(file: Path, system: System) -> Iterator[None]:
    """Let no file of the web process grow, as on a disk without a free block."""
    pids = family(system.processes[0])
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
    yield
    for pid, limit in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limit)


def family(process: "subprocess.Popen[bytes]") -> list[int]:
    """Return the ids of a process and of what it started."""
    pids = [process.pid]
    for pid in pids:
        pids += children(pid)
    return pids


def stored(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as reader:
        rows = reader.execute("SELECT external_id FROM bot_inboundmessage ORDER BY external_id").fetchall()
    return [external_id for (external_id,) in rows]


@pytest.mark.smoke
@pytest.mark.processes
@pytest.mark.parametrize("fault", [locked, full])
def test_a_delivery_that_sqlite_cannot_take_gets_503_and_is_taken_once_when_it_can(
    system: System, file: Path, fault: type
) -> None:
    name = fault.__name__
    before = stored(file)
    with fault(file, system):
        assert [system.post(delivery(name)) for _ in range(2)] == [503, 503]
        assert system.get("/healthz") == 200
    assert stored(file) == before

    wait_for(lambda: system.post(delivery(name)) == 200, "the delivery is taken", 90)
    assert system.post(delivery(name)) == 200
    assert stored(file) == sorted([*before, f"{name}.1", f"{name}.2"])


@pytest.mark.django_db(transaction=True)
def test_a_read_only_sqlite_gets_503_with_retry_after(client: Client) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite only")
    bot = WhatsAppBotFactory.create(slug="shop")
    body = delivery("read_only")

    def deliver() -> tuple[int, str | None]:
        headers = {"X-Hub-Signature-256": signature(body)}
        answer = client.post(
            reverse("webhook", args=(bot.channel, bot.slug)), body, content_type="application/json", headers=headers
        )
        return answer.status_code, answer.headers.get("Retry-After")

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = 1")
        assert deliver() == (503, "5")
        cursor.execute("PRAGMA query_only = 0")
    assert not InboundMessage.objects.exists()
    assert deliver() == (200, None)

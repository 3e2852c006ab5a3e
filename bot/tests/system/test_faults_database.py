"""The database is stopped, read-only, full or hung while webhooks arrive: 503, nothing half-written, recovery."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

import pytest

from bot.queue.snapshot import FRESH_SECONDS
from bot.tests.support.factories import ALICE, signature, whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.processes import OPENER, System, running_system, wait_for
from bot.tests.system.faults.servers import PostgresServer

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(bool(PostgresServer.reason_to_skip()), reason=PostgresServer.reason_to_skip()),
    pytest.mark.promise("away", "stopped, read-only, hung, full, connection cut, row locked"),
]

# Short, so that a test need not wait for what an installation waits for: seconds, not tens of them.
TIMEOUTS = "?client_timeout=2&connect_timeout=2"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


@dataclass(frozen=True)
class Answer:
    """What a webhook was answered."""

    status: int
    retry_after: str | None = None


def deliver(system: System, body: bytes) -> Answer:
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature(body)}
    request = Request(f"http://127.0.0.1:{system.port}/webhooks/whatsapp/shop/", body, headers)
    try:
        with OPENER.open(request, timeout=60) as answer:
            return Answer(answer.status)
    except HTTPError as error:
        return Answer(error.code, error.headers["Retry-After"])


NOT_STORED = Answer(503, "5")


@pytest.fixture(scope="module")
def web(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    url = server.create_database("web") + TIMEOUTS
    with running_system(tmp_path_factory.mktemp("web"), url) as system:
        process = system.start_web()
        yield system
        assert process.poll() is None, "the web process lived through everything"


@contextmanager
def stopped(server: PostgresServer) -> Iterator[None]:
    server.stop("immediate")
    yield
    server.start()


@contextmanager
def read_only(server: PostgresServer) -> Iterator[None]:
    server.set_read_only(True)
    # Connections there are learn of it a little later; new ones know it from the start.
    server.terminate_backends()
    yield
    server.set_read_only(False)


@contextmanager
def hung(server: PostgresServer) -> Iterator[None]:
    server.suspend()
    yield
    server.resume()


@contextmanager
def failing_half_way(server: PostgresServer, failure: str) -> Iterator[None]:
    """Let the last statement of a delivery fail, when its messages are written already."""
    server.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.status = 'delivered' THEN "
        f"{failure}; END IF; RETURN NEW; END $$",
        "web",
    )
    server.execute("CREATE TRIGGER fail BEFORE UPDATE ON bot_outboundmessage FOR ROW EXECUTE FUNCTION fail()", "web")
    yield
    server.terminate_backends()  # what is in the middle of failing
    server.execute("DROP FUNCTION fail CASCADE", "web")


@contextmanager
def full(server: PostgresServer) -> Iterator[None]:
    with failing_half_way(server, "RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'"):
        yield


@contextmanager
def cut(server: PostgresServer) -> Iterator[None]:
    with failing_half_way(server, "PERFORM pg_terminate_backend(pg_backend_pid())"):
        yield


@contextmanager
def stuck(server: PostgresServer) -> Iterator[None]:
    with failing_half_way(server, "PERFORM pg_sleep(600)"):
        yield


Fault = Callable[[PostgresServer], Any]


@pytest.mark.parametrize("fault", [stopped, read_only, hung, full, cut, stuck])
def test_a_delivery_the_database_cannot_take_gets_503_whole_and_is_taken_whole_when_it_can(
    web: System, server: PostgresServer, fault: Fault
) -> None:
    name = fault.__name__
    sent_before(server, name)
    body = whatsapp_body(
        whatsapp_value(
            messages=[whatsapp_message("one", id=f"{name}.1"), whatsapp_message("two", id=f"{name}.2")],
            statuses=[{"id": f"out.{name}", "status": "delivered", "recipient_id": ALICE[1:]}],
        )
    )

    with fault(server):
        assert [deliver(web, body) for _ in range(2)] == [NOT_STORED] * 2
        assert web.get("/healthz") == 200
    nothing: tuple[list[str], str] = [], "sent"
    whole = [f"{name}.1", f"{name}.2"], "delivered"
    # What was under way in a server that hung may be committed when it goes on; never half of it.
    assert stored(server, name) in ([nothing, whole] if fault is hung else [nothing])

    # It recovers by itself; and what a provider delivers again is stored once.
    wait_for(lambda: deliver(web, body) == Answer(200), "the delivery is taken", 90)
    assert deliver(web, body) == Answer(200)
    assert stored(server, name) == whole


def sent_before(server: PostgresServer, name: str) -> None:
    statement = f"""
        INSERT INTO bot_outboundmessage (bot_id, address, turn_key, part, text, status, external_id, attempts,
            error_code, created_at, updated_at)
        SELECT id, '{ALICE}', -1 - (SELECT count(*) FROM bot_outboundmessage), 1, 'text', 'sent', 'out.{name}', 1,
            '', now(), now() FROM bot_bot
    """  # noqa: S608 (our own names)
    server.execute(statement, "web")


def stored(server: PostgresServer, name: str) -> tuple[list[str], str]:
    """Return the external ids stored of a delivery, and the status of the message sent before."""
    # In one statement: what was under way may be committed between two.
    statement = """
        SELECT external_id, '' FROM bot_inboundmessage UNION ALL
        SELECT external_id, status FROM bot_outboundmessage ORDER BY 1
    """
    rows = server.execute(statement, "web")
    (status,) = [status for external_id, status in rows if external_id == f"out.{name}"]
    return [external_id for external_id, _ in rows if external_id.startswith(f"{name}.")], status


def test_the_first_delivery_after_a_restart_of_the_database_is_taken(web: System, server: PostgresServer) -> None:
    for number in range(8):  # every thread has its connection
        assert deliver(web, message(f"before.{number}")) == Answer(200)
    # The bots are read again by then, so that reading them is what meets the dead connection.
    time.sleep(FRESH_SECONDS + 0.1)
    server.restart("immediate")

    assert [deliver(web, message(f"after.{number}")) for number in range(3)] == [Answer(200)] * 3


def message(external_id: str, number: str = ALICE, text: str = "Hello") -> bytes:
    return whatsapp_body(whatsapp_value(messages=[whatsapp_message(text, number, id=external_id)]))

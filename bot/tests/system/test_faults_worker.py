"""The database restarts, hangs, turns read-only or forgets to answer under a worker: each message is answered once."""

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from bot.tests.support.factories import whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.processes import System, running_system, wait_for
from bot.tests.system.faults.proxy import ForgetfulProxy
from bot.tests.system.faults.servers import PostgresServer

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(bool(PostgresServer.reason_to_skip()), reason=PostgresServer.reason_to_skip()),
    pytest.mark.promise("shutdown"),
    pytest.mark.promise("connections"),
]

# Short, so that a test need not wait for what an installation waits for: seconds, not tens of them.
TIMEOUTS = "?client_timeout=2&connect_timeout=2"
NUMBERS = [f"+49151200000{number:02}" for number in range(20)]
PEOPLE = f"from users.models import User\nfor n in {NUMBERS!r}: User.objects.create_user(n, is_whitelisted=True)"
DATABASE = "worker"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


@pytest.fixture(scope="module")
def shared(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    url = server.create_database(DATABASE) + TIMEOUTS
    with running_system(tmp_path_factory.mktemp("worker"), url) as system:
        system.manage("shell", "--verbosity", "0", "--command", PEOPLE)
        system.start_web()
        yield system


@pytest.fixture
def system(shared: System, server: PostgresServer) -> Iterator[System]:
    """A system with its web process up and no worker yet; afterwards its workers are ended and its rows deleted."""
    url = shared.environment["DATABASE_URL"]
    yield shared
    server.resume()
    shared.environment["DATABASE_URL"] = url
    for process in shared.processes[1:]:
        process.kill()
        process.wait()
    server.execute("TRUNCATE bot_inboundmessage, bot_outboundmessage, bot_lease, usage_usagerecord", DATABASE)
    shared.model.reset()
    shared.whatsapp.reset()


def ask(system: System, text: str = "Hello") -> int:
    """Deliver a message of each person in one body, and return what that was answered."""
    messages = [whatsapp_message(text, number, id=f"{text}.{number}") for number in NUMBERS]
    return system.post(whatsapp_body(whatsapp_value(messages=messages)))


def asked(system: System) -> int:
    """Return how many completions were paid for."""
    return sum(request["method"] == "POST" for request in system.model.requests())


def check_each_is_answered_once(system: System, server: PostgresServer) -> None:
    wait_for(lambda: nothing_is_open(server), "nothing is pending and no lease is held", 90)
    assert Counter(send["to"] for send in system.sends()) == {number[1:]: 1 for number in NUMBERS}
    sent = server.execute("SELECT status, count(*) FROM bot_outboundmessage GROUP BY status", DATABASE)
    assert sent == [("sent", len(NUMBERS))]


def nothing_is_open(server: PostgresServer) -> bool:
    """Return whether every message came to its end and every lease was given back."""
    pending = server.execute("SELECT count(*) FROM bot_inboundmessage WHERE state <> 'done'", DATABASE)
    held = server.execute("SELECT count(*) FROM bot_lease WHERE worker <> ''", DATABASE)
    return pending == held == [(0,)]


def test_messages_are_answered_once_although_the_database_restarts_while_they_are_with_the_model(
    system: System, server: PostgresServer
) -> None:
    system.model.script([{"delay": 4}] * len(NUMBERS))
    worker = system.start_worker()
    assert ask(system) == 200
    wait_for(lambda: asked(system) == len(NUMBERS), "all are with the model", 90)

    server.stop("immediate")
    wait_for(lambda: "database_unavailable" in system.log_of(worker), "the answers come while there is no database", 90)
    server.start()

    check_each_is_answered_once(system, server)
    assert asked(system) == len(NUMBERS), "no completion is paid twice"


def test_replies_wait_for_a_database_that_became_read_only(system: System, server: PostgresServer) -> None:
    system.model.script([{"delay": 4}] * len(NUMBERS))
    worker = system.start_worker()
    assert ask(system) == 200
    wait_for(lambda: asked(system) == len(NUMBERS), "all are with the model", 90)

    server.set_read_only(True)
    server.terminate_backends()
    wait_for(lambda: system.log_of(worker).count("database_unavailable") > 1, "the replies cannot be stored", 90)
    server.set_read_only(False)

    check_each_is_answered_once(system, server)
    assert asked(system) == len(NUMBERS), "no completion is paid twice"


def test_messages_are_answered_once_although_connections_are_killed_under_load(
    system: System, server: PostgresServer
) -> None:
    worker = system.start_worker()
    wait_for(lambda: "worker_started" in system.log_of(worker), "the worker works", 90)
    texts = [f"text {number}" for number in range(15)]
    for text in texts:
        wait_for(lambda text=text: ask(system, text) == 200, "the delivery is stored", 90)  # type: ignore[misc]
        server.terminate_backends()
        time.sleep(0.2)  # time to be in the middle of something again

    wait_for(lambda: nothing_is_open(server), "every message comes to its end", 90)
    answered = Counter((send["to"], line) for send in system.sends() for line in lines(send))
    assert answered == {(number[1:], text): 1 for number in NUMBERS for text in texts}
    assert "database_unavailable" in system.log_of(worker) or "claim_failed" in system.log_of(worker)


def lines(send: dict[str, Any]) -> list[str]:
    return str(send["text"]["body"]).removeprefix("Echo: ").split("\n")


def test_a_server_that_hangs_is_given_up_and_taken_up_again(system: System, server: PostgresServer) -> None:
    system.model.script([{"delay": 4}] * len(NUMBERS))
    worker = system.start_worker()
    assert ask(system) == 200
    wait_for(lambda: asked(system) == len(NUMBERS), "all are with the model", 90)

    server.suspend()
    try:
        wait_for(
            lambda: "database_unavailable" in system.log_of(worker), "the worker gives up a hanging connection", 90
        )
    finally:
        server.resume()

    check_each_is_answered_once(system, server)
    assert asked(system) == len(NUMBERS), "no completion is paid twice"


def test_a_connection_that_hangs_is_replaced(system: System, server: PostgresServer) -> None:
    system.model.script([{"delay": 2}] * len(NUMBERS))
    system.start_worker()
    assert ask(system) == 200
    wait_for(lambda: asked(system) == len(NUMBERS), "all are with the model", 90)

    suspend_without_locks(server)

    # (They hang until all is over.)
    check_each_is_answered_once(system, server)


def suspend_without_locks(server: PostgresServer) -> None:
    """Suspend the connections at a moment when none holds a lock, which nobody could take from it."""
    in_transaction = "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
    while True:
        server.suspend_backends()
        if server.execute(in_transaction) == [(0,)]:
            return
        server.resume()


def test_a_worker_started_before_its_database_waits_for_it(system: System, server: PostgresServer) -> None:
    assert ask(system) == 200
    server.stop()
    worker = system.start_worker()
    wait_for(lambda: system.log_of(worker).count("claim_failed") > 1, "the worker tries", 90)
    assert worker.poll() is None

    server.start()

    check_each_is_answered_once(system, server)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0


# The worker as runworker starts it, with a short drain, and a patience no test could wait for.
SHORT_DRAIN = """
import os
os.environ["DATABASE_URL"] = os.environ["DATABASE_URL"].replace("client_timeout=2", "client_timeout=600")
import django
django.setup()
from bot import worker
worker.DRAIN_SECONDS, worker.GIVE_BACK_SECONDS = 2.0, 1.0
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "runworker"])
"""


@pytest.mark.parametrize("busy", [False, True])
def test_a_worker_told_to_stop_ends_in_time_although_the_database_hangs(
    system: System, server: PostgresServer, busy: bool
) -> None:
    system.model.script([{"hang": True}] * len(NUMBERS))
    worker = started(system, SHORT_DRAIN)
    wait_for(lambda: "worker_started" in system.log_of(worker), "the worker works", 90)
    if busy:
        assert ask(system) == 200
        wait_for(lambda: asked(system) == len(NUMBERS), "all are with the model", 90)

    server.suspend()
    try:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
    finally:
        server.resume()
    assert ("turns_left_to_leases" in system.log_of(worker)) is busy
    assert "Traceback" not in system.log_of(worker)


def started(system: System, code: str) -> "subprocess.Popen[bytes]":
    return system._start(sys.executable, "-c", code)


@pytest.fixture
def proxy(system: System, server: PostgresServer) -> Iterator[ForgetfulProxy]:
    """A proxy that the worker's connection goes through."""
    with ForgetfulProxy(server.process.port) as running:
        url = system.environment["DATABASE_URL"]
        system.environment["DATABASE_URL"] = url.replace(f":{server.process.port}/", f":{running.port}/")
        yield running


@pytest.mark.parametrize(
    "phrase",
    ["INSERT INTO bot_outboundmessage", "SET state = 'done'"],
    ids=["store and begin", "settle"],
)
def test_a_commit_whose_answer_is_lost_is_neither_doubled_nor_forgotten(
    system: System, server: PostgresServer, proxy: ForgetfulProxy, phrase: str
) -> None:
    proxy.lose(phrase)
    worker = system.start_worker()
    assert ask(system) == 200

    check_each_is_answered_once(system, server)
    assert proxy.lost == [phrase]
    assert asked(system) == len(NUMBERS)
    assert server.execute("SELECT count(*) FROM usage_usagerecord", DATABASE) == [(len(NUMBERS),)]
    assert "turn_crashed" not in system.log_of(worker)


def test_chats_of_a_claim_whose_answer_is_lost_are_claimed_again_when_their_leases_run_out(
    system: System, server: PostgresServer, proxy: ForgetfulProxy
) -> None:
    proxy.lose("INSERT INTO bot_lease")
    worker = system.start_worker()
    assert ask(system) == 200
    wait_for(lambda: "claim_failed" in system.log_of(worker), "the claim's answer is lost", 90)
    assert asked(system) == 0

    server.execute("UPDATE bot_lease SET expires_at = now()", DATABASE)  # half a minute passes

    check_each_is_answered_once(system, server)

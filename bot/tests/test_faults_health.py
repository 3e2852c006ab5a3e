"""Everything that a web process depends on is stopped by SIGSTOP, and requests hang in it: probes are answered."""

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

import pytest

from bot.tests.factories import ALICE, whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.faults.servers import PostgresServer, RedisServer
from bot.tests.processes import OPENER, System, migrate_and_seed, running_system, wait_for

REASON = PostgresServer.reason_to_skip() or RedisServer.reason_to_skip()
pytestmark = [pytest.mark.processes, pytest.mark.skipif(bool(REASON), reason=REASON)]

PROBES = 50
HEALTHZ_SECONDS = 0.05
READYZ_SECONDS = 2.0
HANGING = 40
# So that what hangs hangs throughout a test, however slow the machine is.
HANGS_LONG = "?client_timeout=120&connect_timeout=120"


SEEDED = "seeded"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PostgresServer, RedisServer]]:
    with PostgresServer() as postgres, RedisServer() as redis:
        migrate_and_seed(postgres.create_database(SEEDED), tmp_path_factory.mktemp("seeded"))
        yield postgres, redis


@pytest.fixture
def system(servers: tuple[PostgresServer, RedisServer], tmp_path: Path) -> Iterator[System]:
    postgres, redis = servers
    url = postgres.create_database(f"health_{tmp_path.name}".lower(), SEEDED) + HANGS_LONG
    with running_system(tmp_path, url, {"REDIS_URL": redis.url}, seeded=True) as running:
        running.start_web()
        running.start_pages()
        yield running


@contextmanager
def everything_hangs(system: System, servers: tuple[PostgresServer, RedisServer]) -> Iterator[None]:
    for server in servers:
        server.suspend()
    system.model.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        system.model.process.send_signal(signal.SIGCONT)
        for server in servers:
            server.resume()


def timed(system: System, path: str) -> tuple[int, dict[str, Any], float]:
    """Return the status, the body and the seconds of a GET."""
    began = time.monotonic()
    try:
        with OPENER.open(Request(f"http://127.0.0.1:{system.port}{path}"), timeout=30) as answer:
            status, body = int(answer.status), answer.read()
    except HTTPError as error:
        status, body = error.code, error.read()
    return status, json.loads(body), time.monotonic() - began


def timed_now_and_then(system: System) -> tuple[int, dict[str, Any], float]:
    """Ask for readiness after a moment, so that answers grow old among many questions."""
    time.sleep(0.15)
    return timed(system, "/readyz")


def deliver(system: System, name: str) -> int:
    return system.post(whatsapp_body(whatsapp_value(messages=[whatsapp_message("Hello", ALICE, id=name)])))


def open_admin(system: System) -> int:
    """Open the admin with a session that has to be looked up."""
    cookie = {"Cookie": "sessionid=0123456789abcdefghijklmnopqrstuv"}
    return system._open(Request(f"http://127.0.0.1:{system.port}/admin/", headers=cookie))


def hang(system: System, pool: ThreadPoolExecutor) -> list["Future[int]"]:
    """Deliver webhooks and open admin pages, many at once; return what they will be answered."""
    requests = [
        pool.submit(deliver, system, f"hanging.{number}") if number % 2 else pool.submit(open_admin, system)
        for number in range(HANGING)
    ]
    time.sleep(0.3)  # they have arrived; nobody knows yet that they hang
    return requests


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(PROBES) as pool:
        yield pool


def test_probes_are_answered_in_time_although_all_hangs_and_requests_hang_in_it(
    system: System, servers: tuple[PostgresServer, RedisServer], pool: ThreadPoolExecutor
) -> None:
    assert deliver(system, "before") == 200  # there are connections, which hang longer than new ones
    with everything_hangs(system, servers):
        hang(system, pool)
        alive = [timed(system, "/healthz") for _ in range(PROBES)]
        ready = [timed_now_and_then(system) for _ in range(PROBES)]

        assert {(status, body["status"]) for status, body, _ in alive} == {(200, "ok")}
        assert max(seconds for *_, seconds in alive) < HEALTHZ_SECONDS
        assert max(seconds for *_, seconds in ready) < READYZ_SECONDS
        away = {**dict.fromkeys(("db", "redis", "openai"), "error"), "pages": "ok"}
        for status, body, _ in ready:
            webhooks = body["checks"].pop("webhooks")
            assert (status, body) == (503, {"status": "unready", "checks": away, "system": None})
        assert webhooks == "error", "they are refused at once by then"
        assert sum(seconds > 0.5 for *_, seconds in ready) > 1, "it was asked more than once"
    wait_for(lambda: deliver(system, "after") == 200, "messages are taken again")


def test_requests_are_refused_at_once_while_all_hangs_and_taken_again_afterwards(
    system: System, servers: tuple[PostgresServer, RedisServer], pool: ThreadPoolExecutor
) -> None:
    assert deliver(system, "before") == 200
    with everything_hangs(system, servers):
        hanging = hang(system, pool)
        wait_for(lambda: sum(one.done() for one in hanging) > 0, "some are refused")
        began = time.monotonic()
        answered = [deliver(system, f"refused.{number}") for number in range(20)]
        assert set(answered) == {503}
        assert time.monotonic() - began < 2, "nobody waits for what cannot be had"
    wait_for(lambda: deliver(system, "after") == 200, "messages are taken again")
    log = system.log_of(system.processes[0])
    assert log.count("requests_refused") == 1
    assert log.count("requests_accepted_again") == 1


def test_a_burst_of_readiness_probes_costs_one(
    system: System, servers: tuple[PostgresServer, RedisServer], pool: ThreadPoolExecutor
) -> None:
    redis = servers[1]
    timed(system, "/readyz")

    def connections() -> int:
        with redis.client() as client:
            return int(client.info("stats")["total_connections_received"])

    time.sleep(2.1)  # the answer's time is over
    before = connections()
    found = [one.result() for one in [pool.submit(timed, system, "/readyz") for _ in range(PROBES)]]
    assert {status for status, *_ in found} == {200}
    assert connections() - before <= 3, "one probe, or two where the burst took longer than an answer lives; and ours"

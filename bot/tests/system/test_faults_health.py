"""Everything that a web process depends on is stopped by SIGSTOP, and webhooks hang in it: probes are answered."""

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request

import pytest

from bot.tests.support.factories import ALICE, signature, whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.processes import OPENER, System, migrate_and_seed, running_system, wait_for
from bot.tests.system.faults.crowd import WEBHOOK, Crowd, head, headers_of, read_answer, status_of
from bot.tests.system.faults.servers import PostgresServer, RedisServer

REASON = PostgresServer.reason_to_skip() or RedisServer.reason_to_skip()
pytestmark = [pytest.mark.processes, pytest.mark.skipif(bool(REASON), reason=REASON), pytest.mark.promise("probes")]

PROBES = 50
TRIES = 5
HEALTHZ_SECONDS = 0.05
READYZ_SECONDS = 2.0
HANGING = 1_000
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


def timed(system: System, path: str) -> tuple[int, dict[str, object], float]:
    """Return the status, the body and the seconds of a GET."""
    began = time.monotonic()
    try:
        with OPENER.open(Request(f"http://127.0.0.1:{system.port}{path}"), timeout=30) as answer:
            status, body = int(answer.status), answer.read()
    except HTTPError as error:
        status, body = error.code, error.read()
    return status, json.loads(body), time.monotonic() - began


def timed_now_and_then(system: System, path: str, pause: float) -> tuple[int, dict[str, object], float]:
    """Ask after a moment, so that what was found grows old, and what waits is refused, among many questions."""
    time.sleep(pause)
    return timed(system, path)


def deliver(system: System, name: str) -> int:
    return system.post(whatsapp_body(whatsapp_value(messages=[whatsapp_message("Hello", ALICE, id=name)])))


def request_of(name: str) -> bytes:
    """Return a delivery as it is sent."""
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message("Hello", ALICE, id=name)]))
    signed = (f"X-Hub-Signature-256: {signature(body)}", f"Content-Length: {len(body)}")
    return head("POST", WEBHOOK, *signed) + body


def hang(crowd: Crowd) -> None:
    """Deliver many webhooks at once, all of which find the database hanging."""
    for number in range(HANGING):
        crowd.join(1, request_of(f"hanging.{number}"))


def answers_of(crowd: Crowd) -> list[bytes]:
    """Return what each of a crowd is answered."""
    return [read_answer(connection) for connection in crowd.connections]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(PROBES) as pool:
        yield pool


def slowest(probes: list[tuple[int, dict[str, object], float]]) -> float:
    return max(seconds for *_, seconds in probes)


def test_probes_are_answered_in_time_although_all_hangs_and_a_thousand_webhooks_hang_in_it(
    system: System, servers: tuple[PostgresServer, RedisServer]
) -> None:
    # Some times: the machine itself may be busy with something else in one of them.
    for _ in range(TRIES):
        # There are connections, which hang longer than new ones.
        wait_for(lambda: deliver(system, "before") == 200, "messages are taken")
        with everything_hangs(system, servers), Crowd(system.port) as crowd:
            hang(crowd)
            timed(system, "/healthz")  # they have arrived
            alive = [timed_now_and_then(system, "/healthz", 0.05) for _ in range(PROBES)]
            ready = [timed_now_and_then(system, "/readyz", 0.15) for _ in range(PROBES)]
        if slowest(alive) < HEALTHZ_SECONDS:
            break

    assert {(status, body["status"]) for status, body, _ in alive} == {(200, "ok")}
    assert slowest(alive) < HEALTHZ_SECONDS
    assert slowest(ready) < READYZ_SECONDS
    checks = dict.fromkeys(("db", "redis", "openai", "pages", "webhooks"), "error")
    assert all((status, body["checks"]) == (503, checks) for status, body, _ in ready[-10:])
    assert {status for status, *_ in ready} == {503}
    wait_for(lambda: deliver(system, "after") == 200, "messages are taken again")


def test_a_thousand_webhooks_are_refused_soon_while_all_hangs_and_are_stored_once_afterwards(
    system: System, servers: tuple[PostgresServer, RedisServer]
) -> None:
    assert deliver(system, "before") == 200
    with everything_hangs(system, servers), Crowd(system.port) as crowd:
        hang(crowd)
        refused = answers_of(crowd)
        assert {(status_of(answer), headers_of(answer).get("retry-after")) for answer in refused} == {(503, "5")}
        began = time.monotonic()
        assert {deliver(system, f"refused.{number}") for number in range(20)} == {503}
        assert time.monotonic() - began < 2, "nobody waits for what cannot be had"
    wait_for(lambda: deliver(system, "after") == 200, "messages are taken again")
    with Crowd(system.port) as crowd:
        hang(crowd)  # as the provider does
        assert {status_of(answer) for answer in answers_of(crowd)} == {200}
    stored = system.rows(
        "SELECT COUNT(*), COUNT(DISTINCT external_id) FROM bot_inboundmessage WHERE external_id LIKE 'hanging.%'"
    )
    assert stored == [(HANGING, HANGING)]
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

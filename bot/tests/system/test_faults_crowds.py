"""Nobody takes the service from others by being slow, many or large: webhooks, probes and pages are answered."""

import resource
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bot.front import application, deliveries
from bot.tests.support.factories import ALICE, signature, whatsapp_body, whatsapp_value
from bot.tests.support.processes import System, running_system, wait_for
from bot.tests.system.faults.crowd import (
    LOGIN,
    WEBHOOK,
    Crowd,
    ask,
    chunked,
    form,
    head,
    open_files,
    resident_megabytes,
    size_of,
    status_of,
)
from bot.tests.system.faults.driving import message

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="/proc tells what a process holds"),
    pytest.mark.promise("crowds"),
]

MEGABYTE = 1024 * 1024
THREADS = 4
ROUNDS = 3
STYLES = "/static/unfold/css/styles.css"
SIGNED_IN = "Cookie: sessionid=somebody"
STAFF = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from users.models import User
owner = User.objects.create_superuser("+441632960999", is_whitelisted=True)
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(owner.pk), owner.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "users.login.backends.RoleBackend"
session.save()
print("key", session.session_key)
"""


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("crowds")
    (folder / "tmp").mkdir()
    with running_system(folder, environment={"TMPDIR": str(folder / "tmp"), "REDIS_URL": ""}) as running:
        running.start_web()
        running.start_pages("--blocking-threads", str(THREADS))
        running.get(LOGIN)
        yield running


def answers(system: System) -> dict[str, int]:
    """Return what is answered to a webhook, a probe and a page."""
    body = whatsapp_body(whatsapp_value(messages=[message("Hello", ALICE)]))
    return {"webhook": system.post(body), "probe": system.get("/healthz"), "page": system.get(LOGIN)}


ALL_WELL = {"webhook": 200, "probe": 200, "page": 200}


def connections(system: System) -> int:
    """Return how many connections to the system's database there are but this one; 0 on SQLite."""
    if system.environment["DATABASE_URL"].startswith("sqlite"):
        return 0
    statement = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    return int(system.rows(statement)[0][0])


@pytest.fixture(scope="module", autouse=True)
def many_files() -> Iterator[None]:
    """Let this process open as many connections as a crowd needs."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    application.allow_files(8_192)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 8_192:
        pytest.skip("this machine lets a process open too few connections")
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@contextmanager
def nothing_stays(system: System, megabytes: int = 150) -> Iterator[None]:
    """Check that the block leaves no connection behind, and never costs more than so much memory."""
    assert answers(system) == ALL_WELL
    web, pages = system.processes
    files, before = open_files(web), connections(system)
    memory = resident_megabytes(web) + resident_megabytes(pages)
    yield
    assert resident_megabytes(web) + resident_megabytes(pages) - memory < megabytes
    # A few: connections between the two that are kept open for a while.
    wait_for(lambda: open_files(web) <= files + 10, "all connections are closed")
    # The pages keep one for each of their threads, the front one, and one writes down what was counted.
    assert connections(system) <= max(before, THREADS + 2)
    assert answers(system) == ALL_WELL


SILENT = {
    "heads": b"POST /webhooks/whatsapp/shop/ HTTP/1.1\r\nHost: x\r\n",
    "bodies of webhooks": head("POST", WEBHOOK, "Content-Length: 1000"),
    "large bodies of webhooks": head("POST", WEBHOOK, "Content-Length: 3000000") + b"x",
    "chunked bodies of webhooks": head("POST", WEBHOOK, "Transfer-Encoding: chunked") + b"5\r\n",
    "bodies of pages": head("POST", LOGIN, "Content-Length: 1000") + b"username=",
    "large bodies of pages": head("POST", LOGIN, SIGNED_IN, "Content-Length: 9000000") + b"x",
    "bodies that are waited for": head("POST", WEBHOOK, "Content-Length: 1000", "Expect: 100-continue"),
}


@pytest.mark.parametrize("kind", SILENT)
def test_two_hundred_that_say_no_more_hold_up_nobody(system: System, kind: str) -> None:
    with nothing_stays(system), Crowd(system.port) as crowd:
        crowd.join(200, SILENT[kind])
        for _ in range(ROUNDS):
            assert answers(system) == ALL_WELL
            crowd.say(b"x")


def test_some_thousand_idle_connections_that_come_again_hold_up_nobody(system: System) -> None:
    with nothing_stays(system), Crowd(system.port) as crowd:
        crowd.join(3_000)
        for _ in range(ROUNDS):
            assert answers(system) == ALL_WELL
            crowd.reopen_closed()


def test_more_silent_bodies_than_there_is_room_for_hold_up_nobody(system: System) -> None:
    with nothing_stays(system), Crowd(system.port) as crowd:
        crowd.join(deliveries.MOST_BODIES + 50, SILENT["bodies of webhooks"])
        crowd.join(application.MOST_PAGE_BODIES + 50, SILENT["bodies of pages"])
        for _ in range(ROUNDS):
            assert answers(system) == ALL_WELL


def test_large_bodies_that_hang_take_no_room_from_a_large_delivery_or_a_page(system: System) -> None:
    large = [message("x" * 400_000, ALICE)]
    body = whatsapp_body(whatsapp_value(messages=large))
    signed = f"X-Hub-Signature-256: {signature(body)}"
    with nothing_stays(system, megabytes=350), Crowd(system.port) as crowd:
        crowd.join(10, head("POST", WEBHOOK, "Content-Length: 4000000"), b"x" * 3_900_000)
        crowd.join(6, head("POST", LOGIN, SIGNED_IN, "Content-Length: 10000000"), b"x" * 9_900_000)
        for lines, sent in (
            ([f"Content-Length: {len(body)}"], body),
            (["Transfer-Encoding: chunked"], chunked(body)),
        ):
            assert status_of(ask(system.port, head("POST", WEBHOOK, signed, *lines) + sent)) == 200
        assert status_of(ask(system.port, form({"username": "x" * 30_000, "password": "x"}))) == 200
        assert answers(system) == ALL_WELL


def test_heads_that_never_end_are_cut_off_while_they_are_small(system: System) -> None:
    web = system.processes[0]
    with nothing_stays(system):
        before = resident_megabytes(web)
        with Crowd(system.port) as crowd:
            crowd.join(300, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ", b"x" * 400_000)
            assert answers(system) == ALL_WELL
            assert resident_megabytes(web) - before < 60
    assert status_of(ask(system.port, head("GET", "/healthz", f"X: {'x' * 20_000}"))) == 200
    assert status_of(ask(system.port, head("GET", "/healthz", f"X: {'x' * 100_000}"))) == 431


@pytest.mark.parametrize("framing", ["Content-Length: 300000000", "Transfer-Encoding: chunked"])
def test_a_large_body_of_a_stranger_is_refused_early_and_never_written_to_disk(system: System, framing: str) -> None:
    folder = system.folder / "tmp"
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    piece = b"x" * MEGABYTE
    if "chunked" in framing:
        part, piece = (b"%x\r\n%s\r\n" % (len(words), words) for words in (part, piece))
    sent, largest = 0, 0
    with nothing_stays(system), Crowd(system.port) as crowd:
        crowd.join(1, head("POST", LOGIN, framing, "Content-Type: multipart/form-data; boundary=x"), part)
        with suppress(OSError):
            while sent < 300:
                crowd.connections[0].sendall(piece)
                sent, largest = sent + 1, max(largest, size_of(folder))
        assert answers(system) == ALL_WELL
    assert largest == 0
    assert sent < 40  # what is read on so that it sees the answer, and what the system's own buffers take
    refused = head("POST", LOGIN, "Content-Length: 300000000")
    assert status_of(ask(system.port, refused)) == 413


def test_clients_that_never_read_a_large_answer_hold_up_nobody(system: System) -> None:
    with nothing_stays(system), Crowd(system.port) as crowd:
        crowd.join(300, head("GET", STYLES), receives=2_048)
        for _ in range(ROUNDS):
            assert answers(system) == ALL_WELL
            assert system.get(STYLES) == 200


def test_clients_that_ask_and_ask_and_never_read_hold_up_nobody(system: System) -> None:
    with nothing_stays(system), Crowd(system.port) as crowd:
        crowd.join(20, head("GET", "/healthz") * 200, receives=2_048)
        crowd.join(20, head("GET", LOGIN) * 20, receives=2_048)
        assert answers(system) == ALL_WELL


def test_a_flood_of_failing_sign_ins_holds_up_nobody_else(system: System) -> None:
    with nothing_stays(system):
        with ThreadPoolExecutor(16) as threads:
            guesses = [
                threads.submit(ask, system.port, form({"username": f"%2B49171000{n:04}", "password": "wrong"}))
                for n in range(64)
            ]
            overtaken = 0
            while not all(guess.done() for guess in guesses):
                assert answers(system) == ALL_WELL
                overtaken += sum(not guess.done() for guess in guesses) > 0
        assert overtaken > 0
        assert {status_of(guess.result()) for guess in guesses} <= {200, 429, 503}


def test_ten_imports_at_once_hold_up_no_webhook_and_no_probe(system: System) -> None:
    key = system.manage("shell", "--verbosity", "0", "--command", STAFF).split("key ")[1].strip()
    rows = "".join(f"+4917{number:08},Somebody\r\n" for number in range(5_000))
    lines = (
        b'--x\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n%s\r\n' % (b"c" * 32),
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="p.csv"\r\nContent-Type: text/csv\r\n\r\n',
        f"phone_number,name\r\n{rows}\r\n--x--\r\n".encode(),
    )
    body = b"".join(lines)
    request = head(
        "POST", "/admin/users/user/import/", "Content-Type: multipart/form-data; boundary=x",
        f"Content-Length: {len(body)}", f"Cookie: csrftoken={'c' * 32}; sessionid={key}",
    )  # fmt: skip
    with nothing_stays(system, megabytes=400):
        with ThreadPoolExecutor(10) as threads:
            imports = [threads.submit(ask, system.port, request, body) for _ in range(10)]
            while not all(one.done() for one in imports):
                meanwhile = answers(system)
                assert meanwhile["webhook"] == meanwhile["probe"] == 200
                time.sleep(0.1)
        # (Who waits for ten seconds for a thread of the pages is told to come again.)
        statuses = {status_of(one.result()) for one in imports}
        assert 200 in statuses and statuses <= {200, 503}

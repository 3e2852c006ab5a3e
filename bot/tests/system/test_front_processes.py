"""A real front and real pages: who is slow, large or many takes nothing from webhooks, and nothing is left behind."""

import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.request import Request

import pytest

from bot.tests.support.factories import signature, whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.processes import OPENER, System, running_system, wait_for
from bot.tests.system.test_faults_sqlite import family

pytestmark = pytest.mark.processes

MEGABYTE = 1_000_000
SIGN_INS = 12
THREADS = 2
HOOK, LOGIN, EXPORT = "/webhooks/whatsapp/shop/", "/admin/login/", "/admin/users/user/export/"
OWNER = "+441632960201"
SESSION = f"""
from django.test import Client
from users.models import User
client = Client()
client.force_login(User.objects.create_superuser({OWNER!r}, "correct horse battery"))
print(client.cookies["sessionid"].value)
"""


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A front and pages whose temporary files lie in the folder `temporary`."""
    folder = tmp_path_factory.mktemp("front")
    temporary = folder / "temporary"
    temporary.mkdir()
    environment = {"TMPDIR": str(temporary), "REDIS_URL": "", "WEB_THREADS": str(THREADS)}
    with running_system(folder, environment=environment) as system:
        process = system.start_web()
        system.start_pages("--blocking-threads", str(THREADS))
        yield system
        assert process.poll() is None, "the front lived through everything"


def delivery(name: str, size: int = 0) -> bytes:
    return whatsapp_body(whatsapp_value(messages=[whatsapp_message(id=f"wamid.{name}", unknown="x" * size)]))


def connect(system: System) -> socket.socket:
    return socket.create_connection(("127.0.0.1", system.port), timeout=30)


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def status_of(connection: socket.socket) -> int:
    """Return the status of the answer, 0 when none came."""
    try:
        return int(connection.recv(65_536).split(b" ")[1])
    except (OSError, IndexError):
        return 0


def test_webhooks_are_taken_while_connections_hold_back_their_bodies(web: System) -> None:
    with ExitStack() as held:
        for number in range(50):
            connection = held.enter_context(closing(connect(web)))
            path = HOOK if number % 2 else LOGIN
            connection.sendall(head(path, "Content-Length: 1000", f"Cookie: csrftoken={'c' * 32}") + b"{")
        assert web.post(delivery("meanwhile")) == 200
        assert web.get(LOGIN) == 200, "pages as well"


def test_what_a_stranger_uploads_is_refused_before_it_is_written_down(web: System) -> None:
    folder, size, sent = web.folder / "temporary", 20 * MEGABYTE, 0
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    with closing(connect(web)) as connection:
        connection.sendall(
            head(
                LOGIN, f"Content-Length: {size}", f"Cookie: csrftoken={'c' * 32}",
                "Content-Type: multipart/form-data; boundary=x",
            ) + part
        )  # fmt: skip
        assert status_of(connection) == 413
        try:
            for _ in range(size // MEGABYTE - 1):
                connection.sendall(b"x" * MEGABYTE)
                sent += MEGABYTE
                assert not [file for file in folder.rglob("*") if file.is_file() and file.stat().st_size > MEGABYTE]
        except OSError:
            pass  # (it has hung up: what is wanted)
    assert sent < size - MEGABYTE


def test_a_genuine_delivery_in_chunks_is_taken(web: System) -> None:
    body = delivery("chunked")
    lines = ("Transfer-Encoding: chunked", "Content-Type: application/json", f"X-Hub-Signature-256: {signature(body)}")
    with closing(connect(web)) as connection:
        connection.sendall(head(HOOK, *lines) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        assert status_of(connection) == 200


def test_webhooks_do_not_wait_behind_sign_ins(web: System) -> None:
    sent, ended = list[int](), list[int]()

    def sign_in(number: int) -> None:
        fields = f"username=%2B4917100001{number:02}&password=wrong&csrfmiddlewaretoken={'c' * 32}".encode()
        form = ("Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(fields)}")
        with closing(connect(web)) as connection:
            connection.sendall(head(LOGIN, *form, f"Cookie: csrftoken={'c' * 32}", "Connection: close") + fields)
            sent.append(number)
            assert status_of(connection) in (200, 503)
            ended.append(number)

    with ThreadPoolExecutor(SIGN_INS) as threads:
        guessing = [threads.submit(sign_in, number) for number in range(SIGN_INS)]
        wait_for(lambda: len(sent) == SIGN_INS, "all have sent their passwords", 20)
        before = len(ended)
        status, overtaken_by = web.post(delivery("in-between")), len(ended) - before
        for one in guessing:
            one.result()
    assert status == 200
    assert overtaken_by < SIGN_INS // 3


@pytest.mark.smoke
def test_a_large_delivery_is_taken_by_a_process_that_ends_with_the_front(tmp_path: Path) -> None:
    with running_system(tmp_path) as system:
        web = system.start_web()
        before = family(web)
        assert system.post(delivery("large", 3 * MEGABYTE)) == 200
        assert system.post(b"{" * MEGABYTE) == 400
        assert system.rows("SELECT count(*) FROM bot_inboundmessage") == [(1,)]
        parsers = set(family(web)) - set(before)
        assert parsers
        for process in set(before) - {web.pid}:
            os.kill(process, signal.SIGKILL)
        os.kill(web.pid, signal.SIGKILL)
        wait_for(lambda: not any(is_alive(pid) for pid in parsers), "nobody is left", 20)


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_downloads_leave_no_connection_to_the_database_behind(web: System) -> None:
    cookie = web.manage("shell", "--verbosity", "0", "--command", SESSION).strip()

    def download() -> bytes:
        request = Request(f"http://127.0.0.1:{web.port}{EXPORT}", headers={"Cookie": f"sessionid={cookie}"})
        with OPENER.open(request, timeout=30) as answer:
            return bytes(answer.read())

    with ThreadPoolExecutor(4) as threads:
        files = [one.result() for one in [threads.submit(download) for _ in range(6 * THREADS)]]
    assert all(OWNER.encode() in file for file in files)
    # (One more writes down what was counted.)
    assert len(connections(web)) <= THREADS + 1


def connections(system: System) -> list[str]:
    """Return what the pages' processes have open of the database, one for each connection."""
    url = system.environment["DATABASE_URL"]
    pids = family(system.processes[1])
    if not url.startswith("sqlite"):
        mine = "application_name <> 'x' AND datname = current_database() AND pid <> pg_backend_pid()"
        return [str(pid) for (pid,) in system.rows(f"SELECT pid FROM pg_stat_activity WHERE {mine}")]  # noqa: S608
    file = url.removeprefix("sqlite:///")
    links = [link for pid in pids for link in Path(f"/proc/{pid}/fd").iterdir()]
    return [str(link) for link in links if os.path.realpath(link) == os.path.realpath(file)]

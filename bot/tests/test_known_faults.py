"""Faults that are known and not mended yet: each is shown here, and the test that shows it tells when it is mended.

Take the mark away from a test that begins to pass.
"""

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.contrib.admin.models import LogEntry
from django.core.checks import run_checks
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils.encoding import force_str

from bot.tests.factories import WhatsAppBotFactory, signature, whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.processes import System, running_system, wait_for
from bot.tests.test_forget_command import channel, code_in
from config.admission import Admission
from config.tests.known_faults import given, known, promised
from config.wsgi import answer
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory, alice

__all__ = ["channel"]  # (people read that of these tests on their phones)

MEGABYTE = 1_000_000
SIGN_INS = 12
HOOK = "/webhooks/whatsapp/shop/"
LOGIN = "/admin/login/"


# --- against a real web process ---


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A web process whose temporary files lie in the folder `temporary`."""
    folder = tmp_path_factory.mktemp("known-faults")
    temporary = folder / "temporary"
    temporary.mkdir()
    with running_system(folder) as system:
        system.start_web(TMPDIR=str(temporary), REDIS_URL="", WEB_THREADS="4")
        yield system


def delivery(name: str) -> bytes:
    return whatsapp_body(whatsapp_value(messages=[whatsapp_message(id=f"wamid.{name}")]))


def connect(system: System) -> socket.socket:
    return socket.create_connection(("127.0.0.1", system.port), timeout=5)


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", *lines, "", ""]).encode()


def status_of(connection: socket.socket) -> int:
    """Return the status of the answer, 0 when none came."""
    try:
        return int(connection.recv(65_536).split(b" ")[1])
    except (OSError, IndexError):
        return 0


@known("Eight connections that send one byte of a body each take every webhook and page away for as long as they like.")
@pytest.mark.processes
def test_webhooks_are_taken_while_connections_hold_back_their_bodies(web: System) -> None:
    given(web.post(delivery("before")) == 200, "webhooks are taken")
    with ExitStack() as held:
        for number in range(8):
            connection = held.enter_context(closing(connect(web)))
            path = HOOK if number % 2 else LOGIN
            connection.sendall(head(path, "Content-Length: 1000", f"Cookie: csrftoken={'c' * 32}") + b"{")
        time.sleep(1.2)  # (what the door waits for before it refuses)
        promised(web.post(delivery("meanwhile")) == 200)


@known("A body of any size is written to the temporary folder before anybody asks who sends it.")
@pytest.mark.processes
def test_what_a_stranger_uploads_is_refused_before_it_is_written_down(web: System) -> None:
    folder, size, largest = web.folder / "temporary", 20 * MEGABYTE, 0
    part = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
    with closing(connect(web)) as connection:
        connection.sendall(
            head(
                LOGIN, f"Content-Length: {size}", f"Cookie: csrftoken={'c' * 32}",
                "Content-Type: multipart/form-data; boundary=x",
            ) + part
        )  # fmt: skip
        try:
            for _ in range(size // MEGABYTE - 1):
                connection.sendall(b"x" * MEGABYTE)
                largest = max(largest, sum(file.stat().st_size for file in list(folder.iterdir())))
        except OSError:
            pass  # (refused while it is being sent: what is wanted)
    promised(largest < MEGABYTE)


@known("A genuine delivery in chunks, without a Content-Length, is read as empty and refused as forged.")
@pytest.mark.processes
def test_a_genuine_delivery_in_chunks_is_taken(web: System) -> None:
    body = delivery("chunked")
    lines = ("Transfer-Encoding: chunked", "Content-Type: application/json", f"X-Hub-Signature-256: {signature(body)}")
    with closing(connect(web)) as connection:
        connection.sendall(head(HOOK, *lines) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        status = status_of(connection)
    given(status != 0, "it is answered")
    promised(status == 200)


@known(
    "Sign-ins hash passwords in the same few places in which webhooks are taken, and a queue of them holds those up."
)
@pytest.mark.processes
def test_webhooks_do_not_wait_behind_sign_ins(web: System) -> None:
    sent, ended = list[int](), list[int]()

    def sign_in(number: int) -> None:
        fields = f"username=%2B4917100001{number:02}&password=wrong&csrfmiddlewaretoken={'c' * 32}".encode()
        form = ("Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(fields)}")
        with closing(connect(web)) as connection:
            connection.settimeout(30)
            connection.sendall(head(LOGIN, *form, f"Cookie: csrftoken={'c' * 32}", "Connection: close") + fields)
            sent.append(number)
            given(status_of(connection) in (200, 503), "the page of signing in answers")
            ended.append(number)

    given(web.post(delivery("alone")) == 200, "webhooks are taken")
    with ThreadPoolExecutor(SIGN_INS) as threads:
        guessing = [threads.submit(sign_in, number) for number in range(SIGN_INS)]
        wait_for(lambda: len(sent) == SIGN_INS, "all have sent their passwords", 20)
        time.sleep(0.1)
        before = len(ended)
        status, overtaken_by = web.post(delivery("in-between")), len(ended) - before
        for one in guessing:
            one.result()
    promised(status == 200 and overtaken_by < SIGN_INS // 3)


# --- within this process ---


@known("Each streamed download leaves a database connection open, which nobody closes.")
def test_a_download_leaves_no_connection_behind(transactional_db: None, client: Client) -> None:
    client.force_login(alice())
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET", "PATH_INFO": reverse("admin:users_user_export"), "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1", "HTTP_COOKIE": cookie,
    }  # fmt: skip
    setup_testing_defaults(environ)
    admission, statuses = Admission(answer, 2), list[str]()

    def download() -> bool:
        """Read a file to its end, and return whether this thread has a connection open then."""
        chunks: Any = admission(environ, lambda status, *_: statuses.append(status))
        given(statuses == ["200 OK"] and b"Alice" in b"".join(chunks), "the file is downloaded")
        chunks.close()
        own = connections.all(initialized_only=True)
        is_open = any(one.connection is not None for one in own)
        connections.close_all()
        return is_open

    with ThreadPoolExecutor(1) as threads:
        is_open = threads.submit(download).result()
    for lent in admission._free:
        lent.close()
    promised(not is_open)


@known("Who is staff and erases themselves takes along what they did in the admin: it is in no history any more.")
def test_what_staff_did_stays_in_the_history_when_they_erase_themselves(
    ask: Callable[..., str], client: Client
) -> None:
    admin = User.objects.create_user("+441632960201", name="Adam", role=Role.ADMIN, is_whitelisted=True)
    eve = UserFactory.create(name="Eve")
    client.force_login(admin)
    page = reverse("admin:users_user_change", args=(eve.pk,))
    form = client.get(page).context["adminform"].form
    sets = [one.formset for one in client.get(page).context["inline_admin_formsets"]]
    fields = {name: force_str(form[name].value() or "") for name in form.fields if form[name].value() is not False}
    for formset in sets:
        fields |= {f"{formset.prefix}-{key}": "0" for key in ("TOTAL_FORMS", "INITIAL_FORMS")}
    answered = client.post(page, {**fields, "name": "Mallory"})
    theirs = LogEntry.objects.filter(object_id=str(eve.pk))
    given(answered.status_code == 302 and theirs.filter(user=admin).exists(), "the change is in the history")

    ask(f"/forget {code_in(ask('/forget', sender='+441632960201'))}", sender="+441632960201")
    given(not User.objects.filter(pk=admin.pk).exists(), "they are erased")
    promised(theirs.exists())


@known("No check names the credentials that only a former secret key reads: nobody knows when that can be removed.")
def test_credentials_that_only_a_former_key_reads_are_told(db: None, settings: Any) -> None:
    bot = WhatsAppBotFactory.create(slug="encrypted-long-ago")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key of this test"
    bot.refresh_from_db()
    given(bool(bot.credentials), "the former key reads them")
    messages = run_checks(include_deployment_checks=True, databases=["default"])
    promised(any("SECRET_KEY" in f"{message.msg} {message.hint}" and bot.slug in message.msg for message in messages))

"""The documented reverse proxies pass on what they should, and keep away what they can."""

import re
from collections.abc import Iterator
from contextlib import suppress

import pytest

from bot.tests.support.factories import ALICE, signature, whatsapp_body, whatsapp_value
from bot.tests.support.processes import System, running_system, wait_for
from bot.tests.system.faults.crowd import LOGIN, WEBHOOK, chunked, form, head, open_files, read_answer, status_of
from bot.tests.system.faults.driving import message
from bot.tests.system.faults.proxies import BLOCKS, NAME, Proxy, reason_to_skip, running_proxy

pytestmark = [pytest.mark.promise("proxies", "Caddy and nginx, as `deployment.md` has them"), pytest.mark.processes]


@pytest.fixture(scope="module", params=BLOCKS)
def kind(request: pytest.FixtureRequest) -> str:
    if reason := reason_to_skip(request.param):
        pytest.skip(reason)
    return str(request.param)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory, kind: str) -> Iterator[System]:
    # One for each proxy: of a fault that repeats, only the first few lines of a minute are logged.
    folder = tmp_path_factory.mktemp(kind)
    with running_system(folder, environment={"ALLOWED_HOSTS": NAME, "LOG_LEVEL": "INFO", "REDIS_URL": ""}) as running:
        running.start_web()
        running.start_pages()
        yield running


@pytest.fixture(scope="module")
def proxy(system: System, kind: str) -> Iterator[Proxy]:
    with running_proxy(kind, system.folder / kind, [system.port]) as running:
        yield running


def ask(proxy: Proxy, *said: bytes) -> bytes:
    """Say something and return the answer."""
    with proxy.connect() as connection:
        with suppress(OSError):  # who is refused while sending reads the answer all the same
            for words in said:
                connection.sendall(words)
        return read_answer(connection)


def delivery(size: int = 5) -> tuple[bytes, str]:
    """Return a body with a message of so many characters, and the header that signs it."""
    body = whatsapp_body(whatsapp_value(messages=[message("x" * size, ALICE)]))
    return body, f"X-Hub-Signature-256: {signature(body)}"


@pytest.mark.parametrize("size", [5, 500_000])
def test_deliveries_pass_with_a_length_and_in_chunks(proxy: Proxy, size: int) -> None:
    body, signed = delivery(size)
    whole = head("POST", WEBHOOK, signed, f"Content-Length: {len(body)}", host=NAME)
    assert status_of(ask(proxy, whole, body)) == 200
    body, signed = delivery(size)
    pieces = head("POST", WEBHOOK, signed, "Transfer-Encoding: chunked", host=NAME)
    assert status_of(ask(proxy, pieces, chunked(body))) == 200


def test_pages_pass_under_the_public_name_only_and_probes_tell_no_numbers(proxy: Proxy) -> None:
    assert b"csrfmiddlewaretoken" in ask(proxy, head("GET", LOGIN, host=NAME))
    assert b"csrfmiddlewaretoken" not in ask(proxy, head("GET", LOGIN, host="evil.example"))
    assert b'"system"' not in ask(proxy, head("GET", "/readyz", host=NAME))


def test_failed_sign_ins_are_counted_by_the_clients_own_address_whatever_it_claims(
    proxy: Proxy, system: System
) -> None:
    pages = system.processes[1]
    before = len(failures(system))
    claims = (
        "X-Claim: none",
        "X-Forwarded-For: 203.0.113.7",
        "X_Forwarded_For: 203.0.113.8",
        "X-Forwarded-For: 203.0.113.9\xff",
        "X-Real-IP: 203.0.113.10",
    )
    for number, claim in enumerate(claims):
        request = form({"username": f"%2B4917200000{number:02}", "password": "wrong"}, LOGIN, claim)
        request = request.replace(b"Host: localhost", f"Host: {NAME}\r\nReferer: https://{NAME}/".encode())
        assert status_of(ask(proxy, request)) in (200, 400)
    wait_for(lambda: len(failures(system)) > before + 2, "failures are logged")
    assert len(set(failures(system)[before:])) == 1, system.log_of(pages)[-2_000:]


def failures(system: System) -> list[str]:
    """Return the hashes of the clients whose sign-ins failed."""
    return re.findall(r"login_failed.* client=(\w+)", system.log_of(system.processes[1]))


def test_large_bodies_are_refused(proxy: Proxy) -> None:
    request = head("POST", LOGIN, "Content-Length: 12000000", "Cookie: sessionid=x", host=NAME)
    assert status_of(ask(proxy, request)) == 413
    request = head("POST", WEBHOOK, "Content-Length: 5000000", host=NAME)
    assert status_of(ask(proxy, request, b"x" * 5_000_000)) == 413


def test_large_heads_are_refused(proxy: Proxy) -> None:
    assert status_of(ask(proxy, head("GET", "/healthz", f"X: {'x' * 4_000}", host=NAME))) == 200
    assert status_of(ask(proxy, head("GET", "/healthz", f"X: {'x' * 100_000}", host=NAME))) in (400, 431)


def test_bodies_that_hang_hold_up_nobody(proxy: Proxy, system: System) -> None:
    web = system.processes[0]
    body, signed = delivery()
    ask(proxy, head("GET", "/healthz", host=NAME))
    before = open_files(web)
    crowd = [proxy.connect() for _ in range(50)]
    try:
        for connection in crowd:
            connection.sendall(head("POST", WEBHOOK, "Content-Length: 1000", host=NAME) + b"x")
        request = head("POST", WEBHOOK, signed, f"Content-Length: {len(body)}", host=NAME) + body
        assert status_of(ask(proxy, request)) == 200
        if proxy.kind == "nginx":  # it waits for the whole of a body; Caddy passes it on as it comes
            assert open_files(web) - before < 10
    finally:
        for connection in crowd:
            connection.close()

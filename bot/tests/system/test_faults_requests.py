"""What a hostile client sends means the same to the front as to the pages, and nothing is smuggled past it."""

import json
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from bot.tests.support.factories import ALICE, signature, whatsapp_body, whatsapp_value
from bot.tests.support.processes import PAGES, System, listens, running_system, wait_for
from bot.tests.system.faults.crowd import (
    WEBHOOK,
    Crowd,
    ask,
    chunked,
    head,
    headers_of,
    read_all,
    read_answer,
    status_of,
)
from bot.tests.system.faults.driving import message

pytestmark = [pytest.mark.promise("framing"), pytest.mark.processes]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(tmp_path_factory.mktemp("requests")) as running:
        running.start_web()
        path = running.environment["PAGES_SOCKET"]
        running._start(
            sys.executable, "-m", "granian", *PAGES, "--uds", path, "bot.tests.system.faults.echo:application"
        )
        wait_for(lambda: listens(path), "the echo listens")
        yield running


def told(system: System, *said: bytes) -> dict[str, Any]:
    """Return what the pages are told of a request."""
    answer = ask(system.port, *said)
    assert status_of(answer) == 200, answer[:300]
    return dict(json.loads(answer.partition(b"\r\n\r\n")[2]))


def delivery() -> tuple[bytes, str]:
    body = whatsapp_body(whatsapp_value(messages=[message("Hello", ALICE)]))
    return body, f"X-Hub-Signature-256: {signature(body)}"


# --- what the pages are told ---


def test_the_address_is_the_clients_own_whatever_it_claims(system: System) -> None:
    found = told(
        system,
        head(
            "GET", "/x", "Parley-Client: 203.0.113.1", "Parley-Front: token", "Parley_Client: 203.0.113.2",
            "X_Forwarded_For: 203.0.113.3", "X-Forwarded_Proto: https", "X-Forwarded-For: 203.0.113.4",
        ),
    )  # fmt: skip
    assert found["REMOTE_ADDR"] == "127.0.0.1"
    assert found["HTTP_X_FORWARDED_FOR"] == "203.0.113.4"
    assert not {"HTTP_PARLEY_CLIENT", "HTTP_PARLEY_FRONT", "HTTP_X_FORWARDED_PROTO"} & set(found)


def test_a_header_that_is_not_ascii_does_not_vanish(system: System) -> None:
    found = told(system, head("GET", "/x", "X-Forwarded-For: \xff, 203.0.113.4", "User-Agent: caf\xe9"))
    assert (found["HTTP_X_FORWARDED_FOR"], found["HTTP_USER_AGENT"]) == ("?", "?")


def test_headers_that_come_twice_come_together(system: System) -> None:
    found = told(system, head("GET", "/x", "Cookie: a=1", "Cookie: b=2", "X-Forwarded-For: 1", "X-Forwarded-For: 2"))
    assert found["HTTP_COOKIE"].replace(" ", "") == "a=1;b=2"
    assert found["HTTP_X_FORWARDED_FOR"].replace(" ", "") == "1,2"


def test_what_concerns_one_connection_only_is_not_passed_on(system: System) -> None:
    lines = ("Connection: upgrade", "Upgrade: websocket", "Keep-Alive: 5", "TE: trailers", "Proxy-Authorization: x")
    found = told(system, head("GET", "/x", *lines))
    assert {name for name in found if name.startswith("HTTP_")} == {"HTTP_HOST"}


@pytest.mark.parametrize(
    "path, seen",
    [
        ("/a%2Fb", "/a/b"),
        ("/a/../b", "/a/../b"),
        ("/a%2e%2e/b", "/a../b"),
        ("/%00", "/\x00"),
        ("/a%0d%0aX:%20y", "/a\r\nX: y"),
        ("/a%3Fb%23c%25d", "/a?b#c%d"),
        ("//x//y", "//x//y"),
        ("/caf%C3%A9", "/caf\xc3\xa9"),  # (as WSGI has it)
        ("/a%5Cb;c", "/a\\b;c"),
    ],
)
def test_a_path_arrives_as_it_was_meant(system: System, path: str, seen: str) -> None:
    found = told(system, head("GET", f"{path}?q=%2F&x=%zz+1"))
    assert (found["PATH_INFO"], found["QUERY_STRING"]) == (seen, "q=%2F&x=%zz+1")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "ODD"])
def test_a_method_arrives_as_it_is(system: System, method: str) -> None:
    assert told(system, head(method, "/x", "Content-Length: 0"))["REQUEST_METHOD"] == method


def test_an_absolute_address_and_a_missing_host_do_not_choose_a_host(system: System) -> None:
    assert told(system, head("GET", "http://evil.example/x"))["HTTP_HOST"] == "localhost"
    assert told(system, b"GET /x HTTP/1.1\r\n\r\n")["HTTP_HOST"] not in ("localhost", "127.0.0.1")
    assert status_of(ask(system.port, head("GET", "/x", "Host: evil.example"))) == 400


# --- framing ---


def test_a_body_is_framed_anew(system: System) -> None:
    trailers = b"5\r\nabcde\r\n0\r\nX-Forwarded-For: 203.0.113.5\r\n\r\n"
    for body in (chunked(b"abcde"), b"5;a=b\r\nabcde\r\n0\r\n\r\n", trailers):
        found = told(system, head("POST", "/x", "Transfer-Encoding: chunked"), body)
        assert (found["body"], found["CONTENT_LENGTH"]) == ("abcde", "5")
        assert not {"HTTP_TRANSFER_ENCODING", "HTTP_X_FORWARDED_FOR"} & set(found)


SMUGGLED = b"0\r\n\r\n" + head("GET", "/smuggled")
BAD_FRAMES = {
    "two lengths": head("POST", "/x", "Content-Length: 3", "Content-Length: 5") + b"abcde",
    "a list of lengths": head("POST", "/x", "Content-Length: 5, 5") + b"abcde",
    "a signed length": head("POST", "/x", "Content-Length: +5") + b"abcde",
    "a huge length": head("POST", "/x", f"Content-Length: {10**30}") + b"abcde",
    "an unknown encoding": head("POST", "/x", "Transfer-Encoding: xchunked") + SMUGGLED,
    "a folded header": head("POST", "/x", "Transfer-Encoding:\r\n chunked") + SMUGGLED,
    "a space after a name": head("POST", "/x", "Transfer-Encoding : chunked") + SMUGGLED,
    "a control character": head("GET", "/x", "X: a\0b"),
    "a lone carriage return": head("GET", "/x", "X: a\rb"),
    "a space in the path": head("GET", "/a b"),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0",
    "CONNECT": head("CONNECT", "evil.example:443"),
    "no path": head("OPTIONS", "*"),
}


@pytest.mark.parametrize("kind", BAD_FRAMES)
def test_what_can_be_read_in_two_ways_is_refused_and_ends_the_connection(system: System, kind: str) -> None:
    with Crowd(system.port) as crowd:
        crowd.join(1, BAD_FRAMES[kind], head("GET", "/next", "Connection: close"))
        answer = read_all(crowd.connections[0])
    assert status_of(answer) in (0, 400)
    assert b"/next" not in answer and b"/smuggled" not in answer
    assert system.get("/healthz") == 200


def test_a_length_beside_chunks_smuggles_nothing(system: System) -> None:
    request = head("POST", "/x", "Content-Length: 6", "Transfer-Encoding: chunked") + SMUGGLED
    with Crowd(system.port) as crowd:
        crowd.join(1, request)
        answer = read_all(crowd.connections[0])
    assert answer.count(b"HTTP/1.1 ") == 1 and b"/smuggled" not in answer
    assert headers_of(answer).get("connection") == "close"


def test_requests_on_one_connection_are_answered_in_their_order(system: System) -> None:
    body, signed = delivery()
    many = head("GET", "/first") + head("POST", WEBHOOK, signed, f"Content-Length: {len(body)}") + body
    last = head("GET", "/last", "Connection: close")
    with Crowd(system.port) as crowd:
        crowd.join(1, many + head("GET", "/healthz", "Content-Length: 5") + b"abcde" + last)
        answer = read_all(crowd.connections[0])
    assert answer.count(b"HTTP/1.1 200") == 4 and b"/last" in answer
    assert answer.index(b"/first") < answer.index(b'{"status":"ok"}') < answer.index(b'{"status": "ok"}')


# --- webhooks and probes ---


@pytest.mark.parametrize(
    "path, status",
    [
        ("/webhooks/", 404), ("/webhooks/whatsapp/", 404), ("/webhooks/whatsapp/shop/x/", 404),
        ("/webhooks/whatsapp/%00/", 403), ("/webhooks/%FF/shop/", 403), ("/webhooks/whatsapp/%0d%0aX/", 403),
        ("/webhooks/whatsapp/..%2Fshop/", 404), (WEBHOOK, 403),
    ],
)  # fmt: skip
@pytest.mark.parametrize("line", ["X: y", "X-Hub-Signature-256: \xff", "X-Hub-Signature-256: sha256=", "Upgrade: h2c"])
def test_odd_webhooks_are_refused_as_machines_are(system: System, path: str, status: int, line: str) -> None:
    answer = ask(system.port, head("POST", path, line, "Content-Length: 2"), b"{}")
    assert status_of(answer) == status
    assert headers_of(answer)["content-type"] == "application/json"


def test_a_websocket_is_not_spoken(system: System) -> None:
    lines = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: eHh4")
    for path in ("/x", "/healthz", WEBHOOK):
        assert status_of(ask(system.port, head("GET", path, *lines))) in (200, 403)


@pytest.mark.parametrize("path", ["/x", WEBHOOK])
@pytest.mark.parametrize("length", [1_000, 100_000])
def test_a_body_that_ends_early_is_no_body(system: System, path: str, length: int) -> None:
    with Crowd(system.port) as crowd:
        crowd.join(1, head("POST", path, f"Content-Length: {length}") + b"x" * (length - 1))
        crowd.connections[0].shutdown(socket.SHUT_WR)
        assert status_of(read_answer(crowd.connections[0])) == 400


@pytest.mark.parametrize("sent", [0, 100_000])
def test_who_sends_too_much_is_told_so_also_when_the_rest_does_not_come(system: System, sent: int) -> None:
    request = head("POST", "/x", "Content-Length: 99999999", "Cookie: sessionid=x") + b"x" * sent
    assert status_of(ask(system.port, request)) == 413


def test_who_asks_before_sending_is_answered_before_sending(system: System) -> None:
    body, signed = delivery()
    request = head("POST", WEBHOOK, signed, f"Content-Length: {len(body)}", "Expect: 100-continue")
    answer = ask(system.port, request, body)
    assert answer.startswith(b"HTTP/1.1 100") and b"HTTP/1.1 200" in answer
    refused = ask(system.port, head("POST", WEBHOOK, "Content-Length: 99999999", "Expect: 100-continue"))
    assert status_of(refused) == 413

"""So many requests are let in as there are connections; while all of these hang, others are refused at once."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connections

from config import admission
from config.admission import Admission

MOST = 3


class Gate:
    """An application whose requests to /hang wait until it is opened; it keeps which connections were used."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.inside = threading.Semaphore(0)
        self.used: set[int] = set()
        self.paths: list[str] = []
        self.most = self.now = 0
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.used.add(id(connections["default"]))
        self.paths.append(environ["PATH_INFO"])
        self.inside.release()
        if environ["PATH_INFO"] == "/hang":
            self.open.wait(30)
        with self._lock:
            self.now -= 1
        if environ["PATH_INFO"] == "/fail":
            raise LookupError("as the application raises it")
        start_response("200 OK", [])
        return [environ["PATH_INFO"].encode()]


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as pool:
        yield pool


def wait_until(holds: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < give_up_at
        time.sleep(0.001)


def waits(admitted: Admission, count: int) -> bool:
    return len(admitted._waiting) == count


def call(admitted: Admission, path: str) -> tuple[str, dict[str, str], bytes]:
    """Return the status, the headers and the body of a request."""
    said: list[Any] = []
    body = b"".join(admitted({"PATH_INFO": path}, lambda *words: said.append(words)))
    return said[0][0], dict(said[0][1]), body


def test_a_connection_is_given_back_and_stays_with_no_thread(gate: Gate, pool: ThreadPoolExecutor) -> None:
    own = id(connections["default"])
    admitted = Admission(gate, 1)
    for _ in range(3):
        call(admitted, "/")
        with pytest.raises(LookupError):
            call(admitted, "/fail")
    assert len(gate.used) == 1
    assert own not in gate.used
    assert id(connections["default"]) not in gate.used


def hang_all(admitted: Admission, gate: Gate, pool: ThreadPoolExecutor) -> list["Future[Any]"]:
    hanging = [pool.submit(call, admitted, "/hang") for _ in range(MOST)]
    for _ in hanging:
        assert gate.inside.acquire(timeout=10)
    return hanging


def test_no_more_requests_are_inside_than_there_are_connections_and_all_are_answered(
    gate: Gate, pool: ThreadPoolExecutor
) -> None:
    admitted = Admission(gate, MOST)
    answers = list(pool.map(lambda number: call(admitted, f"/{number}"), range(500)))
    assert [(status, body) for status, _, body in answers] == [("200 OK", f"/{n}".encode()) for n in range(500)]
    assert gate.most <= MOST
    assert len(gate.used) <= MOST, "each with a connection that nobody else has meanwhile"


def test_who_waits_longest_is_next_and_nobody_who_comes_later_takes_their_turn(
    gate: Gate, pool: ThreadPoolExecutor
) -> None:
    admitted = Admission(gate, 1)
    first = pool.submit(call, admitted, "/hang")
    assert gate.inside.acquire(timeout=10)
    later = []
    for number in range(5):
        later.append(pool.submit(call, admitted, f"/{number}"))
        wait_until(partial(waits, admitted, number + 1))

    gate.open.set()
    for one in (first, *later):
        one.result(10)
    assert gate.paths == ["/hang", "/0", "/1", "/2", "/3", "/4"]


def test_what_the_application_raises_reaches_the_server(gate: Gate) -> None:
    with pytest.raises(LookupError, match="as the application"):
        call(Admission(gate, MOST), "/fail")


def test_requests_are_refused_while_all_inside_hang_and_taken_again_afterwards(
    gate: Gate, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(admission, "PATIENCE_SECONDS", 0.2)
    admitted = Admission(gate, MOST)
    hanging = hang_all(admitted, gate, pool)

    status, headers, body = call(admitted, "/webhooks/whatsapp/shop/")
    assert (status, headers["Content-Type"], json.loads(body)["code"]) == (
        "503 Service Unavailable", "application/json", "BUSY",
    )  # fmt: skip
    assert int(headers["Retry-After"]) > 0
    status, headers, body = call(admitted, "/admin/")
    assert status.startswith("503")
    assert headers["Content-Type"].startswith("text/plain")
    assert len(body) == int(headers["Content-Length"])

    gate.open.set()
    assert {one.result(10)[0] for one in hanging} == {"200 OK"}
    assert call(admitted, "/again")[0] == "200 OK"
    events = [record.message for record in caplog.records]
    assert events == ["requests_refused", "requests_accepted_again"]


def test_a_request_that_waited_in_vain_is_not_run_later(
    gate: Gate, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "PATIENCE_SECONDS", 0.1)
    admitted = Admission(gate, MOST)
    hanging = hang_all(admitted, gate, pool)
    assert call(admitted, "/refused")[0].startswith("503")

    gate.open.set()
    for one in hanging:
        one.result(10)
    call(admitted, "/again")
    assert gate.inside.acquire(timeout=10)
    assert not gate.inside.acquire(blocking=False), "only /again came after the hanging ones"


def test_a_connection_is_not_handed_to_who_has_given_up_waiting(
    gate: Gate, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "PATIENCE_SECONDS", 0.3)
    admitted = Admission(gate, 1)
    hanging = pool.submit(call, admitted, "/hang")
    assert gate.inside.acquire(timeout=10)
    waiting = pool.submit(call, admitted, "/waits")
    assert waiting.result(10)[0].startswith("503")

    gate.open.set()
    assert hanging.result(10)[0] == "200 OK"
    assert call(admitted, "/again")[0] == "200 OK"


def test_one_request_that_ends_is_enough_to_wait_for(
    gate: Gate, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "PATIENCE_SECONDS", 0.3)
    admitted = Admission(gate, MOST + 1)
    hang_all(admitted, gate, pool)
    answers = list(pool.map(lambda number: call(admitted, f"/{number}")[0], range(200)))
    gate.open.set()
    assert set(answers) == {"200 OK"}


class Response:
    """What Django returns: it tells whether it streams, and wants to be closed."""

    def __init__(self, streaming: bool) -> None:
        self.streaming, self.closed = streaming, False

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"one ", b"two"])

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("streaming", [False, True])
def test_an_answer_is_finished_before_the_connection_is_given_back_unless_it_streams(streaming: bool) -> None:
    response = Response(streaming)
    answer = Admission(lambda environ, start_response: response, 1)({"PATH_INFO": "/"}, lambda *words: None)
    assert b"".join(answer) == b"one two"
    assert response.closed is not streaming

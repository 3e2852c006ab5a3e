"""An answer of the pages arrives whole, or it is told that it does not; and what it held is given back."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from bot.front import pages as way
from bot.front import passing
from bot.front.application import Front
from bot.front.passing import hang_up
from bot.tests.front.calling import Caller, asking
from bot.tests.front.granian import FakeConnection
from bot.tests.front.pages import is_refused, until
from bot.tests.front.standin import Asked, PagesStandIn, answering

LARGE = bytes(range(256)) * 24_000  # (over six million bytes)


@pytest.fixture
def hung_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose connections were ended."""
    ended: list[str] = []
    for module in (way, passing):
        monkeypatch.setattr(module, "hang_up", ended.append)
    return ended


def test_pages_that_are_away_are_said_to_be_and_answer_when_they_are_back(
    front: Caller, settings: Any, pages: PagesStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PAGES_SOCKET += ".not-there"
    for _ in range(settings.WEB_THREADS + 1):
        answer = front.ask("GET", "/admin/")
        assert is_refused(answer)
        assert settings.PAGES_SOCKET.encode() not in answer.content
    monkeypatch.setattr(front.front.pages._client.connector, "_path", pages.path)
    assert front.ask("GET", "/admin/").status == 200


async def hangs_up(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.close()


def writing(*pieces: bytes) -> Any:
    async def write(asked: Asked, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()

    return write


BROKEN = {
    "no answer": hangs_up,
    "no HTTP": b"nonsense\r\n\r\n",
    "half a head": writing(b"HTTP/1.1 200 OK\r\nContent-"),
    "half a short answer": writing(answering(b"x" * 1_000)[:-500]),
    "half a long one": writing(answering(b"x" * 200_000)[:-500]),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_the_pages_do_not_finish_is_a_503_as_long_as_nothing_went_out(
    front: Caller, pages: PagesStandIn, hung_up: list[str], settings: Any, what: str
) -> None:
    for _ in range(settings.WEB_THREADS + 1):
        pages.answer = BROKEN[what]
        assert is_refused(front.ask("POST", "/", b"a=1"))
    pages.answer = answering(b"well")
    assert front.ask("POST", "/", b"a=1").content == b"well"
    assert hung_up == []


def chunks(body: bytes) -> bytes:
    pieces = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 4_194_304, 4_194_305, len(LARGE)])
@pytest.mark.parametrize("form", [answering, chunks])
def test_an_answer_of_any_size_arrives_whole(
    front: Caller, pages: PagesStandIn, size: int, form: Callable[[bytes], bytes]
) -> None:
    pages.answer = form(LARGE[:size])
    answer = front.ask("GET", "/")
    assert answer.content == LARGE[:size]
    assert answer.streamed == (size > 65_536)
    # (Of what passes through in pieces nobody knows the length before its end, but where the pages say it.)
    known = form is answering or size < 4_194_304
    assert answer.header("content-length") == ([str(size)] if known else []) or size in (4_194_304, 4_194_305)


def test_half_a_streamed_answer_ends_its_connection(front: Caller, pages: PagesStandIn, hung_up: list[str]) -> None:
    pages.answer = writing(answering(LARGE)[:5_000_000])
    answer = front.ask("GET", "/", client="203.0.113.9:4711")
    assert answer.streamed and 4_194_304 < len(answer.content) < len(LARGE)
    assert hung_up == ["203.0.113.9:4711"]


@pytest.mark.parametrize("most", [100_000, 5_000_000], ids=["before it began", "while it goes out"])
@pytest.mark.parametrize("form", [answering, chunks])
def test_an_answer_for_which_there_is_no_room_is_refused_or_ends_its_connection(
    front: Caller, pages: PagesStandIn, hung_up: list[str], monkeypatch: pytest.MonkeyPatch, most: int,
    form: Callable[[bytes], bytes],
) -> None:  # fmt: skip
    front.rooms()["answers"].most_bytes = most
    pages.answer = form(LARGE)
    answer = front.ask("GET", "/")
    if answer.streamed:
        assert hung_up == ["127.0.0.1:50000"], "whoever reads it knows that it is not all"
    else:
        assert is_refused(answer)
    assert front.held() == {}


def test_a_reader_who_is_gone_costs_nothing_more(front: Caller, pages: PagesStandIn) -> None:
    pages.answer = answering(LARGE)
    gone = FakeConnection()
    gone.gone = True
    assert front.ask("GET", "/", gone).content == b""
    assert front.held() == {}


def test_a_reader_who_is_too_slow_is_hung_up_on_and_holds_no_place_of_the_pages(
    front: Caller, pages: PagesStandIn, hung_up: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEB_THREADS = 1
    monkeypatch.setattr(passing, "PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(passing, "SLOWEST_BYTES_PER_SECOND", 10**12)
    pages.answer = answering(LARGE)

    async def crowd(called: Front) -> tuple[int, int]:
        slow = FakeConnection()
        slow.slow = True
        reading = asyncio.create_task(asking(called, "GET", "/", slow, client="203.0.113.9:1"))
        await until(lambda: slow.content == LARGE)
        held = called.pages.answers.used
        pages.answer = answering(b"well")
        other = await asking(called, "GET", "/")
        await reading
        return held, other.status

    assert front.together(crowd) == (len(LARGE), 200)
    assert hung_up == ["203.0.113.9:1"]
    assert front.held() == {}


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_hanging_up_ends_one_connection_and_no_other(family: socket.AddressFamily) -> None:
    host = "127.0.0.1" if family == socket.AF_INET else "::1"
    with socket.create_server((host, 0), family=family) as server:
        clients = [socket.create_connection(server.getsockname()[:2], timeout=5) for _ in range(2)]
        accepted = [server.accept()[0] for _ in range(2)]
        port = clients[1].getsockname()[1]
        hang_up(f"[{host}]:{port}" if family == socket.AF_INET6 else f"{host}:{port}")
        assert clients[1].recv(1) == b""
        accepted[0].sendall(b"still there")
        assert clients[0].recv(100) == b"still there"
        for one in [*clients, *accepted]:
            one.close()


def test_hanging_up_on_who_is_gone_is_nothing() -> None:
    for client in ("127.0.0.1:1", "", "nonsense"):
        hang_up(client)

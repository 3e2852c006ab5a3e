"""Bodies are bounded in size, in time and in number before they cost anything, and all of it is given back."""

import asyncio
from typing import Any

import pytest

from bot import webhooks
from bot.front import bodies, deliveries
from bot.front.application import Front
from bot.front.room import Room
from bot.models import InboundMessage
from bot.tests.front.calling import Caller, asking, settling
from bot.tests.front.granian import FakeConnection
from bot.tests.support.factories import WhatsAppBotFactory, signature, whatsapp_body, whatsapp_message, whatsapp_value

pytestmark = pytest.mark.django_db

HOOK = "/webhooks/whatsapp/shop/"
BODY = whatsapp_body(whatsapp_value(messages=[whatsapp_message()]))
CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.fixture(autouse=True)
def bot() -> Any:
    return WhatsAppBotFactory.create(slug="shop")


def signed(body: bytes, **headers: str) -> dict[str, str]:
    return {"X-Hub-Signature-256": signature(body), **headers}


def code_of(answer: FakeConnection) -> tuple[int, str]:
    return answer.status, answer.content.decode().partition('"code": "')[2].partition('"')[0]


@pytest.mark.parametrize(("expects", "read"), [({"Expect": "100-continue"}, 0), ({}, 3_000)], ids=["asks", "sends"])
def test_a_body_that_is_declared_too_large_is_refused_and_what_comes_of_it_is_dropped(
    front: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch, expects: dict[str, str], read: int
) -> None:
    """Who sends already has to get rid of it, or does not see the answer; for a moment, and so many bytes, at most."""
    monkeypatch.setattr(bodies, "DISCARD_SECONDS", 0.01)
    monkeypatch.setattr(Room, "hold", nothing_is_held)
    declared = {"Content-Length": str(settings.WEBHOOK_MAX_BYTES + 1), **expects}
    answer = front.ask("POST", HOOK, FakeConnection(*[b"x" * 1_000] * 3, silent=True), declared)
    assert code_of(answer) == (413, "PAYLOAD_TOO_LARGE")
    assert answer.read == read
    assert answer.header("connection") == ["close"]


def nothing_is_held(*_: Any) -> None:
    raise AssertionError("it takes room")


@pytest.mark.parametrize("pieces", [1, 3, len(BODY)])
def test_a_genuine_body_in_chunks_is_taken_without_a_length(front: Caller, pieces: int) -> None:
    size = -(-len(BODY) // pieces)
    chunks = [BODY[start : start + size] for start in range(0, len(BODY), size)]
    answer = front.ask("POST", HOOK, FakeConnection(*chunks), signed(BODY, **CHUNKED))
    assert answer.status == 200
    assert InboundMessage.objects.count() == 1


def test_chunks_that_become_too_many_are_refused_with_the_first_that_is(
    front: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEBHOOK_MAX_BYTES = 10_000
    monkeypatch.setattr(bodies, "MOST_DISCARDED_BYTES", 20_000)
    answer = front.ask("POST", HOOK, FakeConnection(*[b"x" * 1_000] * 100), CHUNKED)
    assert code_of(answer) == (413, "PAYLOAD_TOO_LARGE")
    assert answer.read == 11_000 + 20_000, "so many more are dropped, that it sees the answer"
    assert answer.header("connection") == ["close"]


@pytest.mark.parametrize("size", [100, 100_000])
@pytest.mark.parametrize("sent", [b"", b"{"], ids=["nothing", "a byte"])
def test_a_body_that_does_not_come_is_a_408_and_the_end_of_its_connection(
    front: Caller, monkeypatch: pytest.MonkeyPatch, size: int, sent: bytes
) -> None:
    monkeypatch.setattr(deliveries, "BODY_SECONDS", 0.01)
    answer = front.ask("POST", HOOK, FakeConnection(sent, silent=True), {"Content-Length": str(size)})
    assert code_of(answer) == (408, "INVALID_INPUT")
    assert answer.header("connection") == ["close"]


@pytest.mark.parametrize("size", [100, 100_000])
def test_a_body_that_ends_early_is_a_400_and_the_end_of_its_connection(front: Caller, size: int) -> None:
    answer = front.ask("POST", HOOK, FakeConnection(b"{", breaks=True), {"Content-Length": str(size)})
    assert code_of(answer) == (400, "INVALID_INPUT")
    assert answer.header("connection") == ["close"]


def test_an_answer_that_leaves_nothing_behind_keeps_its_connection(front: Caller) -> None:
    for headers in (signed(BODY), {}):
        assert front.ask("POST", HOOK, BODY, headers).header("connection") == []


@pytest.mark.parametrize("size", [100, 100_000])
def test_of_bodies_that_are_on_their_way_so_many_are_held_and_the_oldest_gives_way(front: Caller, size: int) -> None:
    front.rooms()["deliveries"].most = 3

    async def crowd(called: Front) -> tuple[FakeConnection, FakeConnection]:
        silent = [FakeConnection(silent=True) for _ in range(3)]
        length = {"Content-Length": str(size)}
        held = [asyncio.create_task(asking(called, "POST", HOOK, one, length)) for one in silent]
        await settling()
        taken = await asking(called, "POST", HOOK, BODY, signed(BODY))
        gone = await held[0]
        assert [task.done() for task in held] == [True, False, False]
        await cancelled(held)
        return taken, gone

    taken, gone = front.together(crowd)
    assert taken.status == 200, "who sends at once is not kept out"
    assert code_of(gone) == (503, "BUSY")
    assert gone.header("retry-after") == ["5"]
    assert front.held() == {}, "their places are free again"


def test_all_large_bodies_together_hold_so_many_bytes_and_the_oldest_gives_way(front: Caller) -> None:
    room = front.rooms()["deliveries"]
    room.most_bytes = 250_000

    async def crowd(called: Front) -> tuple[int, int, FakeConnection]:
        slow = [FakeConnection(b"x" * 100_000, silent=True) for _ in range(2)]
        length = {"Content-Length": "200000"}
        held = [asyncio.create_task(asking(called, "POST", HOOK, one, length)) for one in slow]
        await settling()
        used = room.used
        small = await asking(called, "POST", HOOK, BODY, signed(BODY))
        assert [task.done() for task in held] == [False, False], "what is small takes nothing from them"
        newest = await asking(called, "POST", HOOK, b"x" * 100_000)
        gone = await held[0]
        assert [task.done() for task in held] == [True, False]
        await cancelled(held)
        assert small.status == 200
        return used, newest.status, gone

    used, newest, gone = front.together(crowd)
    assert used == 200_000
    assert newest == 403, "it was read"
    assert code_of(gone) == (503, "BUSY")
    assert gone.header("retry-after") == ["5"]
    assert front.held() == {}


def test_a_body_that_alone_is_more_than_all_may_hold_is_refused(front: Caller) -> None:
    front.rooms()["deliveries"].most_bytes = 50_000
    assert code_of(front.ask("POST", HOOK, b"x" * 100_000)) == (503, "BUSY")
    assert front.ask("POST", HOOK, b"x" * 40_000).status == 403, "there is room again"


async def cancelled(tasks: list[asyncio.Task[FakeConnection]]) -> None:
    """Cancel tasks, and return when all have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("what", ["forged", "broken", "crash", "too large in chunks", "early", "silent"])
def test_bytes_are_given_back_whatever_becomes_of_the_request(
    front: Caller, monkeypatch: pytest.MonkeyPatch, settings: Any, what: str
) -> None:
    def crash(*_: Any) -> None:
        raise RuntimeError("a bug")

    settings.WEBHOOK_MAX_BYTES = 150_000
    monkeypatch.setattr(deliveries, "BODY_SECONDS", 0.01)
    body = b"{" * 100_000
    if what == "crash":
        monkeypatch.setattr(webhooks, "judge", crash)
    headers = {"Content-Length": "100000"} if what == "early" else CHUNKED
    sent = {
        "too large in chunks": FakeConnection(body, body),
        "early": FakeConnection(body[1:], breaks=True),
        "silent": FakeConnection(body, silent=True),
    }.get(what, FakeConnection(body))
    answer = front.ask("POST", HOOK, sent, headers if what == "forged" else signed(body, **headers))
    expected = {"forged": 403, "broken": 400, "crash": 500, "too large in chunks": 413, "early": 400, "silent": 408}
    assert answer.status == expected[what]
    assert front.held() == {}

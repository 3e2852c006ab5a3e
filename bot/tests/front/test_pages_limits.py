"""What pages may cost the front: places, seconds and bytes are bounded, and given back whatever comes of it."""

import asyncio
from typing import Any

import pytest

from bot.front import pages as way
from bot.front.application import Front
from bot.tests.front.calling import Caller, asking, settling
from bot.tests.front.granian import FakeConnection
from bot.tests.front.pages import is_refused, until
from bot.tests.front.standin import Asked, PagesStandIn, answering

SESSION = {"Cookie": "csrftoken=a; sessionid=b"}


# --- bodies ---


@pytest.mark.parametrize("target", ["/admin/login/", "/metrics", "/nowhere"])
@pytest.mark.parametrize(("headers", "most"), [({}, 131_072), (SESSION, 10 * 1024 * 1024)], ids=["stranger", "staff"])
def test_a_body_is_as_large_as_who_sends_it_may_send_and_no_larger(
    front: Caller, pages: PagesStandIn, target: str, headers: dict[str, str], most: int
) -> None:
    declared = {**headers, "Content-Length": str(most + 1), "Expect": "100-continue"}
    answer = front.ask("POST", target, FakeConnection(b"x", silent=True), declared)
    assert is_refused(answer, 413) and answer.read == 0
    chunked = {**headers, "Transfer-Encoding": "chunked"}
    assert is_refused(front.ask("POST", target, FakeConnection(b"x" * most, b"x"), chunked), 413)
    assert pages.asked == []

    assert front.ask("POST", target, b"x" * most, headers).status == 200
    assert len(pages.asked[0].body) == most


def test_a_body_that_does_not_come_takes_no_place_of_the_pages(
    front: Caller, pages: PagesStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.front.application.PAGE_BODY_SECONDS", 0.01)
    answer = front.ask("POST", "/admin/login/", FakeConnection(b"x", silent=True), {"Content-Length": "100"})
    assert is_refused(answer, 408) and answer.header("connection") == ["close"]
    assert pages.asked == []


# --- places ---


class Slow:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.inside, self.let = 0, asyncio.Event()

    async def __call__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        self.inside += 1
        await self.let.wait()
        writer.write(answering(b"late"))


def test_so_many_pages_are_asked_for_at_once_and_who_waits_too_long_is_refused(
    front: Caller, pages: PagesStandIn, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEB_THREADS = 2
    monkeypatch.setattr(way, "SLOT_SECONDS", 0.05)
    slow = pages.answer = Slow()

    async def crowd(called: Front) -> tuple[FakeConnection, list[FakeConnection]]:
        inside = [asyncio.create_task(asking(called, "GET", "/")) for _ in range(2)]
        await until(lambda: slow.inside == 2)
        refused = await asking(called, "GET", "/")
        slow.let.set()
        return refused, await asyncio.gather(*inside)

    refused, answered = front.together(crowd)
    assert is_refused(refused)
    assert [answer.content for answer in answered] == [b"late"] * 2
    assert len(pages.asked) == 2
    assert front.ask("GET", "/").status == 200, "its place is free"


def test_so_many_wait_for_a_place_and_no_more(
    front: Caller, pages: PagesStandIn, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEB_THREADS = 1
    monkeypatch.setattr(way, "MOST_WAITING", 2)
    slow = pages.answer = Slow()

    async def crowd(called: Front) -> tuple[FakeConnection, list[int]]:
        taken = asyncio.create_task(asking(called, "GET", "/"))
        await until(lambda: slow.inside == 1)
        waiting = [asyncio.create_task(asking(called, "GET", "/")) for _ in range(2)]
        await settling()
        refused = await asking(called, "GET", "/")
        slow.let.set()
        return refused, [answer.status for answer in await asyncio.gather(taken, *waiting)]

    refused, answered = front.together(crowd)
    assert is_refused(refused)
    assert answered == [200] * 3


def test_who_asks_for_hundreds_of_files_takes_no_place_from_pages(
    front: Caller, pages: PagesStandIn, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WEB_THREADS = 2
    monkeypatch.setattr(way, "MOST_WAITING", 2)
    slow = Slow()

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        if "/static/" in asked.line:
            await slow(asked, writer)
        else:
            writer.write(answering(b"page"))

    pages.answer = answer

    async def crowd(called: Front) -> tuple[FakeConnection, list[FakeConnection]]:
        files = [asyncio.create_task(asking(called, "GET", f"/static/{number}.css")) for number in range(300)]
        await until(lambda: slow.inside == 1)
        await settling()
        page = await asking(called, "GET", "/")
        slow.let.set()
        return page, await asyncio.gather(*files)

    page, files = front.together(crowd)
    assert page.content == b"page"
    assert {file.status for file in files} == {200}

"""A database that hangs or is behind costs whoever comes nothing: a 503 at once, and readiness that says so."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from bot.front import intake
from bot.front.application import Front
from bot.front.probes import Probes
from bot.monitoring.health.readiness import Readiness
from bot.monitoring.metrics import pending
from bot.queue import accept, snapshot
from bot.queue.received import Delivery, Stored
from bot.tests.front.calling import Caller, asking, calling
from bot.tests.front.granian import FakeConnection
from bot.tests.support.factories import WhatsAppBotFactory, signature, whatsapp_body, whatsapp_message, whatsapp_value

pytestmark = pytest.mark.django_db

HOOK = "/webhooks/whatsapp/shop/"
BODY = whatsapp_body(whatsapp_value(messages=[whatsapp_message()]))
SIGNED = {"X-Hub-Signature-256": signature(BODY)}


class Door:
    """What stands in for the database: a store that hangs while it is shut."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Event()
        self.groups: list[int] = []

    def store(self, deliveries: Sequence[Delivery]) -> list[Stored]:
        self.groups.append(len(deliveries))
        self.entered.set()
        assert self.open.wait(30)
        return [Stored({}) for _ in deliveries]


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    door = Door()
    monkeypatch.setattr(accept, "store", door.store)
    return door


@pytest.fixture
def front(db: None, door: Door, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """A front with a thread of its own, which knows a bot and loses its patience soon."""
    monkeypatch.setattr(intake, "PATIENCE_SECONDS", 0.02)
    monkeypatch.setattr(intake, "WATCH_SECONDS", 0.001)
    monkeypatch.setattr(Probes, "_check", nothing_asked)
    WhatsAppBotFactory.active(slug="shop")
    with calling(inline=False) as caller:
        yield caller
        door.open.set()
        pending.take()  # (the thread has a connection of its own, and would wait for that of the test)


async def nothing_asked(probes: Probes) -> None:
    probes._latest = Readiness({"db": "ok"}), float("inf")


def post(front: Caller) -> FakeConnection:
    return front.ask("POST", HOOK, BODY, SIGNED)


def ready(front: Caller) -> tuple[int, str]:
    answer = front.ask("GET", "/readyz")
    return answer.status, json.loads(answer.content)["checks"]["webhooks"]


def is_refused(answer: FakeConnection) -> bool:
    code = json.loads(answer.content)["code"]
    return (answer.status, code, answer.header("retry-after")) == (503, "BUSY", ["5"])


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)


def test_who_waits_for_a_thread_that_hangs_and_who_comes_later_is_refused_until_it_comes_back(
    front: Caller, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    assert ready(front) == (200, "ok")
    assert is_refused(post(front)), "it was given up"
    assert [is_refused(post(front)) for _ in range(5)] == [True] * 5
    assert door.groups == [1], "nothing more was given to the thread"
    assert front.ask("GET", "/healthz").status == 200
    assert ready(front) == (503, "error")

    door.open.set()
    front.run(until(lambda: not front.front.intake.hangs))

    assert post(front).status == 200
    assert ready(front) == (200, "ok")
    events = [record.message for record in caplog.records]
    assert events.count("requests_refused") == events.count("requests_accepted_again") == 1


def test_who_waits_behind_what_hangs_is_refused_as_well(front: Caller, door: Door) -> None:
    async def crowd(called: Front) -> list[FakeConnection]:
        first = asyncio.create_task(asking(called, "POST", HOOK, BODY, SIGNED))
        await until(door.entered.is_set)
        return await asyncio.gather(first, *(asking(called, "POST", HOOK, BODY, SIGNED) for _ in range(10)))

    assert all(is_refused(answer) for answer in front.together(crowd))
    assert door.groups == [1]


def test_so_many_deliveries_wait_and_no_more(front: Caller, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_WAITING", 3)
    monkeypatch.setattr(intake, "PATIENCE_SECONDS", 30.0)

    async def crowd(called: Front) -> tuple[FakeConnection, FakeConnection, list[int]]:
        waiting = [asyncio.create_task(asking(called, "POST", HOOK, BODY, SIGNED)) for _ in range(3)]
        await until(door.entered.is_set)
        refused = await asking(called, "POST", HOOK, BODY, SIGNED)
        unready = await asking(called, "GET", "/readyz")
        door.open.set()
        return refused, unready, [answer.status for answer in await asyncio.gather(*waiting)]

    refused, unready, waited = front.together(crowd)
    assert is_refused(refused)
    assert unready.status == 503
    assert waited == [200] * 3
    assert ready(front) == (200, "ok")
    assert post(front).status == 200


@pytest.mark.parametrize("known", [True, False], ids=["known before", "never read"])
def test_bots_that_cannot_be_read_hold_nobody_up(
    front: Caller, door: Door, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    """What was known of bots is used as long as nothing newer can be read; nothing is stored by it."""

    def hang(*_: Any) -> Any:
        assert door.open.wait(30)

    if not known:
        snapshot.forget()
    monkeypatch.setattr(snapshot, "FRESH_SECONDS", -1.0)
    monkeypatch.setattr(snapshot, "current", hang)
    assert is_refused(post(front))
    assert is_refused(post(front))
    assert front.ask("GET", "/healthz").status == 200
    assert door.groups in ([], [1])


def test_what_waits_at_the_end_is_written_and_answered(front: Caller, door: Door) -> None:
    async def end(called: Front) -> list[int]:
        waiting = [asyncio.create_task(asking(called, "POST", HOOK, BODY, SIGNED)) for _ in range(5)]
        await until(door.entered.is_set)
        door.open.set()
        pending.take()
        await called.close()
        return [answer.status for answer in await asyncio.gather(*waiting)]

    assert front.together(end) == [200] * 5
    front.forget()

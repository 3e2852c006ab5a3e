"""Large deliveries are taken apart in a process of their own: the event loop goes on with everybody else's."""

import asyncio
import os
import signal
from typing import Any

import pytest

from bot.front import apart
from bot.front.application import Front
from bot.models import InboundMessage
from bot.tests.front.calling import Caller, asking
from bot.tests.front.granian import FakeConnection
from bot.tests.support.factories import WhatsAppBotFactory, signature, whatsapp_body, whatsapp_message, whatsapp_value

pytestmark = pytest.mark.django_db

HOOK = "/webhooks/whatsapp/shop/"


@pytest.fixture(autouse=True)
def bot() -> Any:
    return WhatsAppBotFactory.create(slug="shop")


def delivery(name: str, size: int = 0) -> bytes:
    """Return a delivery of at least so many bytes."""
    return whatsapp_body(whatsapp_value(messages=[whatsapp_message(id=f"wamid.{name}", unknown="x" * size)]))


def post(front: Caller, body: bytes) -> FakeConnection:
    return front.ask("POST", HOOK, body, {"X-Hub-Signature-256": signature(body)})


def stored() -> set[str]:
    return set(InboundMessage.objects.values_list("external_id", flat=True))


def children(front: Caller) -> list[int]:
    pool = front.front.parser._pool
    return list(pool._processes) if pool else []


def test_only_a_large_body_has_a_process_started(front: Caller) -> None:
    small = delivery("small")
    assert post(front, small + b" " * (apart.LARGE_BYTES - len(small))).status == 200
    assert children(front) == []
    assert post(front, delivery("large", apart.LARGE_BYTES)).status == 200
    assert len(children(front)) == 1
    assert post(front, delivery("larger", 3_000_000)).status == 200
    assert len(children(front)) == 1, "one for all"
    assert stored() == {"wamid.small", "wamid.large", "wamid.larger"}


def test_who_is_not_genuine_has_no_process_started(front: Caller) -> None:
    body = delivery("forged", apart.LARGE_BYTES)
    assert front.ask("POST", HOOK, body, {"X-Hub-Signature-256": signature(body, "guess")}).status == 403
    assert children(front) == []


@pytest.mark.parametrize("body", [b"{" * 300_000, b"[" * 300_000, b"\xff" * 300_000], ids=["braces", "lists", "bytes"])
def test_a_large_body_that_is_not_the_channels_is_a_400(front: Caller, body: bytes) -> None:
    answer = post(front, body)
    assert (answer.status, b"INVALID_INPUT" in answer.content) == (400, True)
    assert stored() == set()


def test_others_are_answered_while_a_large_body_is_taken_apart(front: Caller) -> None:
    """Its process is held up on purpose: whoever waits for it would wait for ever."""
    assert post(front, delivery("first", apart.LARGE_BYTES)).status == 200
    (child,) = children(front)
    large, small = delivery("large", 3_000_000), delivery("small")

    async def crowd(called: Front) -> tuple[int, int]:
        os.kill(child, signal.SIGSTOP)
        try:
            waiting = asyncio.create_task(
                asking(called, "POST", HOOK, large, {"X-Hub-Signature-256": signature(large)})
            )
            answers = [
                await asking(called, "POST", HOOK, small, {"X-Hub-Signature-256": signature(small)}),
                await asking(called, "GET", "/healthz"),
            ]
            assert not waiting.done()
        finally:
            os.kill(child, signal.SIGCONT)
        return {answer.status for answer in answers}.pop(), (await waiting).status

    assert front.together(crowd) == (200, 200)
    assert stored() == {"wamid.first", "wamid.large", "wamid.small"}


def test_a_process_that_is_killed_costs_a_503_and_the_next_body_has_a_new_one(front: Caller) -> None:
    assert post(front, delivery("first", apart.LARGE_BYTES)).status == 200
    (child,) = children(front)
    body = delivery("unlucky", apart.LARGE_BYTES)

    async def unlucky(called: Front) -> FakeConnection:
        os.kill(child, signal.SIGSTOP)
        waiting = asyncio.create_task(asking(called, "POST", HOOK, body, {"X-Hub-Signature-256": signature(body)}))
        while not called.parser._waiting.used:
            await asyncio.sleep(0)
        os.kill(child, signal.SIGKILL)
        return await waiting

    answer = front.together(unlucky)
    assert (answer.status, b"BUSY" in answer.content, answer.header("retry-after")) == (503, True, ["5"])
    assert post(front, body).status == 200
    assert children(front) != [child]
    assert stored() == {"wamid.first", "wamid.unlucky"}


def test_so_many_wait_for_the_process_and_no_more(front: Caller) -> None:
    parser = front.front.parser
    with parser._waiting.held(parser._waiting.most):
        answer = post(front, delivery("large", apart.LARGE_BYTES))
    assert (answer.status, b"BUSY" in answer.content) == (503, True)
    assert post(front, delivery("large", apart.LARGE_BYTES)).status == 200


def test_the_process_ends_when_no_large_body_came_for_a_while(front: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "IDLE_SECONDS", 0.0)
    assert post(front, delivery("1", apart.LARGE_BYTES)).status == 200
    front.run(asyncio.sleep(0.01))
    front.settle()
    assert front.front.parser._pool is None
    assert post(front, delivery("2", apart.LARGE_BYTES)).status == 200

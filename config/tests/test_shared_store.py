"""A shared store that fails: it is said once, left alone for a while, then tried by one caller now and then."""

import asyncio
from typing import Any

import pytest

from config import shared_store
from config.shared_store import LEFT_ALONE_SECONDS, SharedStore


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(shared_store, "time", clock)
    return clock


def ask(store: SharedStore, *, works: bool) -> str:
    if store.may_be_asked():
        with store.trying():
            if not works:
                raise ConnectionError("canary")
            return "shared"
    return "local"


def test_who_meets_a_failure_goes_on_without_the_store_and_it_is_said_once(caplog: Any) -> None:
    caplog.set_level("INFO")
    store = SharedStore("messages")
    assert [ask(store, works=works) for works in (True, False, False)] == ["shared", "local", "local"]
    (record,) = caplog.records
    assert (record.message, record.counts, record.error) == ("rate_limit_store_lost", "messages", "ConnectionError")
    assert "canary" not in caplog.text


def test_a_store_that_failed_is_left_alone_and_then_tried_by_one_caller(clock: Clock, caplog: Any) -> None:
    caplog.set_level("INFO")
    store = SharedStore("messages")
    ask(store, works=False)
    clock.now += LEFT_ALONE_SECONDS - 0.1
    assert ask(store, works=True) == "local"
    clock.now += 0.2
    assert [store.may_be_asked(), store.may_be_asked()] == [True, False], "one caller tries, the others go on"
    clock.now += LEFT_ALONE_SECONDS
    assert [ask(store, works=True), ask(store, works=True)] == ["shared", "shared"]
    assert [record.message for record in caplog.records] == ["rate_limit_store_lost", "rate_limit_store_back"]


def test_a_caller_that_is_cancelled_says_nothing_of_the_store() -> None:
    store = SharedStore("messages")

    async def run() -> None:
        with store.trying():
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
    assert not store.is_down

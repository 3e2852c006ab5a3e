"""Without room, the body or answer that has been on its way for longest gives way."""

import asyncio

import pytest
from django.urls import reverse

from bot.errors import AppError
from bot.front.pages import SIGN_IN
from bot.front.room import Held, Room

pytestmark = pytest.mark.promise("crowds")


async def waits(held: Held) -> str:
    """Wait as for a body, and tell how that ended."""
    try:
        async with held.within(60):
            await asyncio.Event().wait()
    except TimeoutError:
        return "gave way" if held.gave_way else "too late"
    return "complete"


def test_the_one_that_has_been_on_its_way_for_longest_gives_way_to_another() -> None:
    async def crowd() -> None:
        room = Room(2, 100)
        first, second = room.begin(), room.begin()
        waiting = [asyncio.create_task(waits(held)) for held in (first, second)]
        await asyncio.sleep(0)
        third = room.begin()
        assert await waiting[0] == "gave way"
        assert not waiting[1].done() and not third.gave_way
        waiting[1].cancel()

    asyncio.run(crowd())


def test_bytes_are_taken_from_the_oldest_that_hold_some_and_never_from_what_is_complete() -> None:
    async def crowd() -> None:
        room = Room(10, 100)
        whole, oldest, small, newest = (room.begin() for _ in range(4))
        room.hold(whole, 40)
        room.keep(whole)
        room.hold(oldest, 40)
        room.hold(newest, 60)
        assert (oldest.gave_way, small.gave_way, whole.gave_way) == (True, False, False)
        assert room.used == 100
        with pytest.raises(AppError):
            room.hold(newest, 1)  # (nobody else is left)
        assert room.used == 40
        with pytest.raises(AppError):
            room.hold(oldest, 1)
        for held in (whole, oldest, small, newest):
            room.end(held)
            room.end(held)
        assert room.used == 0

    asyncio.run(crowd())


def test_who_gave_way_before_waiting_does_not_wait() -> None:
    async def crowd() -> str:
        room = Room(1, 100)
        held = room.begin()
        room.begin()
        return await waits(held)

    assert asyncio.run(crowd()) == "gave way"


def test_the_way_to_sign_in_is_the_admins() -> None:
    assert reverse("admin:login") == SIGN_IN

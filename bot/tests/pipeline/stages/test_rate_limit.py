"""Who may send how many messages a minute, what they are told beyond that, and when they are answered again."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings as configured
from django.utils import timezone

from bot.channels.connection import Account
from bot.channels.registry import get_channel
from bot.errors import AppError
from bot.models import TakenLease
from bot.pipeline.limiter import Limit, Limiter, limit_of
from bot.pipeline.stages.rate_limit import rate_limit
from bot.pipeline.turn import Turn
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.queue.turn_message import TurnMessage
from bot.tests.support.factories import ALICE, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, in_thread, nothing_pending, states
from bot.worker.worker import Worker
from users.models import User
from users.roles import Role

pytestmark = pytest.mark.database

SHOP = ActiveBot(
    id=1,
    slug="shop",
    channel=get_channel("console"),
    account=Account(bot="shop"),
    system_prompt="",
    model="",
    burst_wait_seconds=0,
    tells_strangers=True,
    version=timezone.now(),
)
ANSWERED, SILENCE = "answered", "silence"
STORES = ["memory", "redis"]


def wait(seconds: int) -> str:
    return f"You've reached the message limit. Please wait {seconds} second{'' if seconds == 1 else 's'}."


def person(role: Role = Role.USER) -> User:
    """Return somebody whom no other test has counted messages of, in Redis neither."""
    return User(pk=random.randrange(10**15), role=role)


def turn_of(user: User, bot: ActiveBot = SHOP, count: int = 1, attempts: int = 1) -> Turn:
    messages = [TurnMessage(id=n, external_id=f"m{n}", kind="text", text="Hi", attempts=attempts) for n in range(count)]
    return Turn(bot=bot, address=ALICE, lease=TakenLease(1, 1, ALICE, 1, 0), messages=messages, user=user)


async def send(limiter: Limiter, user: User, bot: ActiveBot = SHOP, count: int = 1, attempts: int = 1) -> str:
    """Return what becomes of a turn at the stage: ANSWERED (it passes), SILENCE, or the sentence that is told."""
    turn = turn_of(user, bot, count, attempts)
    services: Any = type("OnlyALimiter", (), {"limiter": limiter})
    try:
        await rate_limit(turn, services)
    except AppError as error:
        return error.sentence
    return SILENCE if turn.result.ended else ANSWERED


@asynccontextmanager
async def limiter_in(store: str) -> AsyncIterator[Limiter]:
    if store == "redis" and not configured.REDIS_URL:
        pytest.skip("REDIS_URL is not set")
    limiter = Limiter(configured.REDIS_URL if store == "redis" else None)
    try:
        yield limiter
    finally:
        await limiter.close()
        assert not limiter._store.is_down


class Clock:
    """Time that passes only when a test says so."""

    def __init__(self, time_machine: Any) -> None:
        self._machine = time_machine
        time_machine.move_to(1_900_000_000.25, tick=False)

    def passes(self, seconds: float) -> None:
        self._machine.shift(seconds)


@pytest.fixture
def clock(time_machine: Any) -> Clock:
    return Clock(time_machine)


@pytest.fixture(params=STORES)
def limited(request: pytest.FixtureRequest) -> Callable[[Callable[[Limiter], Awaitable[None]]], None]:
    """Run a coroutine function with a limiter, once in memory and once in Redis."""

    def run(scenario: Callable[[Limiter], Awaitable[None]]) -> None:
        async def with_limiter() -> None:
            async with limiter_in(request.param) as limiter:
                await scenario(limiter)

        asyncio.run(with_limiter())

    return run


# --- how long to wait ---


def test_who_is_over_the_limit_is_told_once_how_long_to_wait_and_answered_after_that(
    limited: Any, clock: Clock, settings: Any
) -> None:
    settings.RATE_LIMIT_PER_USER = 3
    user = person()

    async def scenario(limiter: Limiter) -> None:
        for _ in range(3):
            assert await send(limiter, user) == ANSWERED
            clock.passes(10)
        clock.passes(7.5)
        assert await send(limiter, user) == wait(23), "room comes a minute after the first"
        clock.passes(5)
        assert [await send(limiter, user) for _ in range(3)] == [SILENCE] * 3
        clock.passes(17.4)
        assert await send(limiter, user) == SILENCE, "a tenth of a second too early"
        clock.passes(0.6)
        assert await send(limiter, user) == ANSWERED

    limited(scenario)


def test_who_waits_as_told_and_exceeds_the_limit_again_is_told_again(limited: Any, clock: Clock, settings: Any) -> None:
    settings.RATE_LIMIT_PER_USER = 2
    user = person()

    async def scenario(limiter: Limiter) -> None:
        assert await send(limiter, user) == ANSWERED
        clock.passes(50)
        assert await send(limiter, user) == ANSWERED
        assert [await send(limiter, user) for _ in range(2)] == [wait(10), SILENCE]
        clock.passes(10.1)
        assert await send(limiter, user) == ANSWERED
        assert [await send(limiter, user) for _ in range(2)] == [wait(50), SILENCE]
        clock.passes(49.5)
        assert await send(limiter, user) == SILENCE
        clock.passes(0.5)
        assert [await send(limiter, user) for _ in range(3)] == [ANSWERED, wait(10), SILENCE]

    limited(scenario)


def test_the_wait_is_a_whole_second_at_least_and_a_single_one_is_no_plural(
    limited: Any, clock: Clock, settings: Any
) -> None:
    settings.RATE_LIMIT_PER_USER = 1
    user = person()

    async def scenario(limiter: Limiter) -> None:
        assert await send(limiter, user) == ANSWERED
        clock.passes(59.9)
        assert await send(limiter, user) == "You've reached the message limit. Please wait 1 second."

    limited(scenario)


def test_at_once_after_the_first_the_wait_is_a_minute_and_not_more(limited: Any, clock: Clock, settings: Any) -> None:
    settings.RATE_LIMIT_PER_USER = 1
    user = person()

    async def scenario(limiter: Limiter) -> None:
        assert [await send(limiter, user) for _ in range(2)] == [ANSWERED, wait(60)]

    limited(scenario)


def test_a_burst_that_would_never_fit_is_told_a_minute_once(limited: Any, clock: Clock, settings: Any) -> None:
    settings.RATE_LIMIT_PER_USER = 3
    user = person()

    async def scenario(limiter: Limiter) -> None:
        said = [await send(limiter, user, count=4) for _ in range(2)]
        assert said == ["You've reached the message limit. Please wait a minute.", SILENCE]
        clock.passes(61)
        assert await send(limiter, user, count=4) == "You've reached the message limit. Please wait a minute."
        assert await send(limiter, user, count=3) == ANSWERED

    limited(scenario)


def test_a_burst_larger_than_the_room_that_is_left_leaves_that_room(limited: Any, clock: Clock, settings: Any) -> None:
    settings.RATE_LIMIT_PER_USER = 3
    user = person()

    async def scenario(limiter: Limiter) -> None:
        assert await send(limiter, user) == ANSWERED
        assert [await send(limiter, user, count=3) for _ in range(2)] == [wait(1), SILENCE]
        assert [await send(limiter, user) for _ in range(2)] == [ANSWERED, ANSWERED]
        assert [await send(limiter, user) for _ in range(2)] == [wait(60), SILENCE], "told of this wait, too"

    limited(scenario)


def test_a_turn_that_is_tried_again_is_not_counted_again(limited: Any, clock: Clock, settings: Any) -> None:
    settings.RATE_LIMIT_PER_USER = 1
    user = person()

    async def scenario(limiter: Limiter) -> None:
        assert await send(limiter, user) == ANSWERED
        assert await send(limiter, user, attempts=2) == ANSWERED
        assert await send(limiter, user) == wait(60)

    limited(scenario)


# --- whose limit ---


@pytest.mark.parametrize(
    ("role", "owners", "admins", "bots", "expected"),
    [
        (Role.USER, None, None, None, ("P", 10)),
        (Role.USER, 500, 100, None, ("P", 10)),
        (Role.USER, 500, 100, 4, ("P:1", 4)),
        (Role.ADMIN, None, None, None, ("P", 10)),
        (Role.ADMIN, 500, None, 4, ("P:1", 4)),
        (Role.ADMIN, 500, 100, 4, ("P", 100)),
        (Role.OWNER, 500, 100, 4, ("P", 500)),
        (Role.OWNER, None, 100, 4, ("P:1", 4)),
        (Role.OWNER, None, 100, None, ("P", 10)),
    ],
)
def test_the_roles_limit_comes_first_then_the_bots_then_everybodys(
    settings: Any, role: Role, owners: int | None, admins: int | None, bots: int | None, expected: tuple[str, int]
) -> None:
    settings.RATE_LIMIT_PER_USER = 10
    settings.RATE_LIMIT_PER_OWNER, settings.RATE_LIMIT_PER_ADMIN = owners, admins
    user = person(role)

    found = limit_of(user, replace(SHOP, rate_limit_per_minute=bots))

    assert found == Limit(expected[0].replace("P", str(user.pk)), expected[1])


def test_a_bot_with_a_limit_of_its_own_counts_for_itself_and_the_others_count_together(
    limited: Any, clock: Clock, settings: Any
) -> None:
    settings.RATE_LIMIT_PER_USER = 2
    user = person()
    strict = replace(SHOP, id=2, rate_limit_per_minute=1)
    other = replace(SHOP, id=3)

    async def scenario(limiter: Limiter) -> None:
        assert [await send(limiter, user, strict) for _ in range(3)] == [ANSWERED, wait(60), SILENCE]
        assert [await send(limiter, user, SHOP), await send(limiter, user, other)] == [ANSWERED, ANSWERED]
        clock.passes(1)
        assert [await send(limiter, user, bot) for bot in (SHOP, other, strict)] == [wait(59), SILENCE, SILENCE]
        assert await send(limiter, person(), strict) == ANSWERED

    limited(scenario)


# --- several workers ---


def test_two_workers_share_the_count_and_tell_a_person_once(clock: Clock, settings: Any) -> None:
    settings.RATE_LIMIT_PER_USER = 2
    user = person()

    async def scenario() -> None:
        async with limiter_in("redis") as one, limiter_in("redis") as other:
            assert [await send(one, user), await send(other, user)] == [ANSWERED, ANSWERED]
            clock.passes(20)
            said = await asyncio.gather(*[send(limiter, user) for limiter in (one, other) * 5])
            assert sorted(said) == sorted([wait(40), *[SILENCE] * 9])
            clock.passes(40.1)
            said = await asyncio.gather(*[send(limiter, user) for limiter in (one, other) * 5])
            assert sorted(said) == sorted([ANSWERED, ANSWERED, wait(60), *[SILENCE] * 7])

    asyncio.run(scenario())


def test_without_its_redis_a_process_knows_how_long_to_wait_by_itself(settings: Any) -> None:
    settings.RATE_LIMIT_PER_USER = 1
    user = person()

    async def scenario() -> None:
        limiter = Limiter("redis://127.0.0.1:1/0")  # nobody listens there
        assert [await send(limiter, user), await send(limiter, user), await send(limiter, user)] == [
            ANSWERED,
            wait(60),
            SILENCE,
        ]
        await limiter.close()

    asyncio.run(scenario())


# --- whole turns ---


@pytest.mark.django_db(transaction=True)
def test_a_person_is_answered_again_when_the_wait_they_were_told_is_over(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, settings: Any, time_machine: Any
) -> None:
    settings.RATE_LIMIT_PER_USER = 2
    settings.REDIS_URL = None
    time_machine.move_to(1_900_000_000, tick=True)

    async def run() -> None:
        worker = Worker(10, model_factory=lambda: model)
        running = asyncio.create_task(worker.run())
        for number, pause in enumerate((0, 0, 30, 0, 31)):
            time_machine.shift(pause)
            await in_thread(accept.accept, bot, [event(f"m{number}", text=str(number))])
            while not await in_thread(nothing_pending):
                await asyncio.sleep(0.02)
        worker.stop()
        await running

    asyncio.run(run())

    assert [channel.texts[0], channel.texts[1], channel.texts[3:]] == ["Echo: 0", "Echo: 1", ["Echo: 4"]]
    assert channel.texts[2].startswith("You've reached the message limit. Please wait ")
    assert states()[2:] == [("done", "RATE_LIMIT_EXCEEDED")] * 2 + [("done", "")]
    assert [request.messages[-1].content for request in model.history] == ["0", "1", "4"]

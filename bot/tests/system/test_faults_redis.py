"""Redis is stopped, flushed, restarted or hung: messages are answered as before, and promptly."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot.pipeline.limiter import Limiter
from bot.tests.support.factories import whatsapp_body, whatsapp_message, whatsapp_value
from bot.tests.support.processes import System, running_system, wait_for
from bot.tests.system.faults.servers import RedisServer
from config import shared_store

pytestmark = [
    pytest.mark.promise("redis"),
    pytest.mark.skipif(bool(RedisServer.reason_to_skip()), reason=RedisServer.reason_to_skip()),
]

NUMBERS = [f"+49151200000{number:02}" for number in range(10)]
PEOPLE = f"from users.models import User\nfor n in {NUMBERS!r}: User.objects.create_user(n, is_whitelisted=True)"
# For messages of ten people, on a machine that is busy with other things.
PROMPT_SECONDS = 20.0
LOST, BACK = "rate_limit_store_lost", "rate_limit_store_back"


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.fixture(scope="module")
def system(redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running_system(tmp_path_factory.mktemp("redis"), environment={"REDIS_URL": redis.url}) as running:
        running.manage("shell", "--verbosity", "0", "--command", PEOPLE)
        running.start_web()
        yield running


@contextmanager
def stopped(redis: RedisServer) -> Iterator[None]:
    redis.stop()
    yield
    redis.start()


@contextmanager
def hung(redis: RedisServer) -> Iterator[None]:
    redis.suspend()
    yield
    redis.resume()


Fault = Callable[[RedisServer], Any]


# --- one limiter ---


@pytest.mark.parametrize("fault", [stopped, hung])
def test_a_process_counts_for_itself_while_redis_is_away_and_asks_it_no_more_than_now_and_then(
    redis: RedisServer, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    caplog.set_level("INFO")

    async def run() -> None:
        limiter = Limiter(redis.url)

        async def hits(times: int) -> int:
            return sum(await asyncio.gather(*[limiter.hit(fault.__name__, 3) for _ in range(times)]))

        assert await hits(1) == 1
        with fault(redis):
            assert [await hits(20), await hits(1)] == [3, 0]
        limiter._store._ask_again_at = 0.0  # they pass
        other = Limiter(redis.url)
        assert [await one.hit(f"{fault.__name__} after", 1) for one in (limiter, other)] == [True, False], "together"
        await limiter.close()
        await other.close()

    asyncio.run(run())
    events = [record.message for record in caplog.records if record.name == shared_store.__name__]
    assert events == [LOST, BACK]


def test_a_redis_that_hangs_is_asked_once_and_then_by_one_message_now_and_then() -> None:
    asked = 0

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.read()
        writer.close()

    async def run() -> list[int]:
        server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        limiter = Limiter(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
        seen = []
        for _ in range(3):
            await limiter.hit("somebody", 1000)
            seen.append(asked)
        await asyncio.gather(*[limiter.hit("somebody", 1000) for _ in range(20)])
        seen.append(asked)
        limiter._store._ask_again_at = 0.0  # five seconds pass
        await asyncio.gather(*[limiter.hit("somebody", 1000) for _ in range(20)])
        seen.append(asked)
        await limiter.close()
        server.close()
        return seen

    assert asyncio.run(run()) == [1, 1, 1, 1, 2]


# --- real processes ---


def ask(system: System, text: str) -> None:
    """Deliver a message of each person, one webhook each."""
    for number in NUMBERS:
        message = whatsapp_message(text, number, id=f"{text}.{number}")
        assert system.post(whatsapp_body(whatsapp_value(messages=[message]))) == 200


def wait_until_answered(system: System, texts: list[str]) -> None:
    """Wait until each message is answered, alone or with its neighbours, and check that it was so once."""
    expected = sorted((number[1:], text) for text in texts for number in NUMBERS)
    wait_for(lambda: len(answered(system)) >= len(expected), "all are answered", 90)
    assert answered(system) == expected


def answered(system: System) -> list[tuple[str, str]]:
    """Return to whom was answered what: several messages that got one reply are several lines of it."""
    return sorted(
        (send["to"], line)
        for send in system.sends()
        for line in str(send["text"]["body"]).removeprefix("Echo: ").split("\n")
    )


@pytest.fixture
def worker_log(system: System) -> Iterator[Callable[[], str]]:
    """Start a worker; return what it logged so far, whenever called."""
    system.model.reset()
    system.whatsapp.reset()
    worker = system.start_worker()
    wait_for(lambda: "worker_started" in system.log_of(worker), "the worker works", 90)
    yield lambda: system.log_of(worker)
    worker.terminate()
    assert worker.wait(60) == 0


@pytest.mark.processes
@pytest.mark.parametrize("fault", [stopped, hung])
def test_messages_are_answered_promptly_while_redis_is_away_and_that_is_said_once(
    system: System, redis: RedisServer, worker_log: Callable[[], str], fault: Fault
) -> None:
    name = fault.__name__
    ask(system, f"{name} before")
    wait_until_answered(system, [f"{name} before"])

    rounds = [f"{name} {number}" for number in range(5)]
    lost_before = worker_log().count(LOST)  # (a busy machine can be too slow for the short time-out)
    with fault(redis):
        for number, text in enumerate(rounds):
            began = time.monotonic()
            ask(system, text)
            wait_until_answered(system, [f"{name} before", *rounds[: number + 1]])
            assert time.monotonic() - began < PROMPT_SECONDS
    assert LOST in worker_log()
    assert worker_log().count(LOST) <= lost_before + 1

    back_before = worker_log().count(BACK)
    extra = [f"{name} before", *rounds]

    def is_back() -> bool:
        extra.append(f"{name} after {len(extra)}")
        ask(system, extra[-1])
        wait_until_answered(system, extra)
        return worker_log().count(BACK) > back_before

    wait_for(is_back, "Redis is asked again", 90)


@pytest.mark.processes
def test_messages_are_answered_although_redis_forgets_everything(
    system: System, redis: RedisServer, worker_log: Callable[[], str]
) -> None:
    texts = [f"flushed {number}" for number in range(5)]
    for text in texts:
        ask(system, text)
        redis.flush()

    wait_until_answered(system, texts)
    assert "Traceback" not in worker_log()


@pytest.mark.processes
def test_webhooks_and_liveness_never_ask_redis(system: System, redis: RedisServer) -> None:
    asked_before = connections(redis)
    with hung(redis):
        ask(system, "redis hangs")
        assert [system.get("/healthz") for _ in range(10)] == [200] * 10
        assert system.get("/readyz") == 503, "which does ask, and says so"
    assert connections(redis) == asked_before + 3, "the readiness probe's two, and our own question"


def connections(redis: RedisServer) -> int:
    """Return how many connections Redis ever took, this one included."""
    with redis.client() as client:
        return int(client.info("stats")["total_connections_received"])


A_SCHEDULE_IS_DUE = """
from django.utils import timezone
from django_q.models import Schedule
Schedule.objects.update(next_run=timezone.now())
"""


@pytest.mark.processes
def test_schedules_run_after_redis_was_away(system: System, redis: RedisServer) -> None:
    scheduler = system.start_scheduler()
    wait_for(lambda: "running" in system.log_of(scheduler), "the scheduler works", 90)
    with stopped(redis):
        wait_for(lambda: "Failed to pull task from broker" in system.log_of(scheduler), "it noticed", 90)
    system.manage("shell", "--verbosity", "0", "--command", A_SCHEDULE_IS_DUE)

    wait_for(lambda: "purge_done" in system.log_of(scheduler), "the purge runs", 120)
    scheduler.terminate()
    assert scheduler.wait(60) == 0

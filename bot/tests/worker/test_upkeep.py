"""A worker is kept alive in the database while it works."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from bot.ai.base import CompletionRequest
from bot.models import Heartbeat, Lease
from bot.monitoring import heartbeats
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, in_thread, nothing_pending, states, work_until
from bot.worker.worker import Worker
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_a_worker_is_seen_while_it_works_and_its_row_goes_when_it_ends() -> None:
    seen: list[str] = []

    def is_seen() -> bool:
        seen.extend(Heartbeat.objects.filter(kind="worker").values_list("process", flat=True))
        return bool(seen)

    worker = work_until(is_seen)
    assert seen == [worker.name]
    assert not Heartbeat.objects.exists()


def test_a_heartbeat_that_fails_disturbs_no_work(
    bot: ActiveBot, alice: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(heartbeats, "beat", fail)
    monkeypatch.setattr(heartbeats, "end", fail)
    accept.accept(bot, [event("one")])
    work_until()
    assert states() == [("done", "")]
    assert {record.message for record in caplog.records if record.levelname == "ERROR"} == {"heartbeat_failed"}


def test_a_turn_that_takes_longer_than_a_lease_is_not_taken_over(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.worker.claims.LEASE_TIME", timedelta(seconds=2))
    monkeypatch.setattr("bot.worker.upkeep.HEARTBEAT_SECONDS", 0.1)

    async def for_a_long_time(request: CompletionRequest) -> str:
        await asyncio.sleep(5)
        return "at last"

    async def both() -> None:
        workers = [Worker(10, model_factory=lambda: model) for _ in range(2)]
        running = [asyncio.create_task(worker.run()) for worker in workers]
        try:
            async with asyncio.timeout(40):
                while not await in_thread(nothing_pending):
                    await asyncio.sleep(0.05)
        finally:
            for worker in workers:
                worker.stop()
            await asyncio.gather(*running)

    model.enqueue(for_a_long_time)
    accept.accept(bot, [event()])
    asyncio.run(both())

    assert len(model.history) == 1
    assert channel.texts == ["at last"]
    assert Lease.objects.get().fence == 1

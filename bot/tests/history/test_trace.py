"""`manage.py trace`: what became of a message, step by step, without what it said and whose it was."""

import asyncio
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from bot.ai.base import CompletionRequest
from bot.channels.events import RejectedItem, StatusEvent
from bot.channels.sending import SendError
from bot.errors import AppError, ErrorCode
from bot.history.trace import find, trace
from bot.models import Bot, InboundMessage, Lease, OutboundMessage, SendRecord
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.history.tracing import traced
from bot.tests.support.factories import ALICE, InboundFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from bot.worker import replies
from config.logs.lines import bind
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db")]


def steps_of(external_id: str) -> list[str]:
    (message,) = find(external_id)
    return [step.what for step in trace(message).steps]


def facts_of(external_id: str, what: str) -> dict[str, Any]:
    (message,) = find(external_id)
    return next(step.facts for step in trace(message).steps if step.what == what)


def test_stages_do_not_seem_to_end_before_they_began_where_storing_takes_long(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = replies._insert

    def slowly(parts: list[dict[str, Any]]) -> dict[tuple[int, int], int]:
        time.sleep(0.3)
        return insert(parts)

    monkeypatch.setattr(replies, "_insert", slowly)
    accept.accept(bot, [event()])
    work_until(model=model)
    steps = steps_of("wamid.1")
    assert steps.index("received") < steps.index("begun") < steps.index("claimed") < steps.index("completion")


def test_an_answered_message_tells_its_whole_story_in_order(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedChannel, "max_text_length", 10)
    model.enqueue("Hello dear Alice")
    with bind(request_id="request-1"):
        accept.accept(bot, [event(text="a secret question", sent_at=timezone.now() - timedelta(seconds=2))])
    work_until(model=model)
    first, second = OutboundMessage.objects.order_by("part")
    for status in ("read", "delivered"):
        accept.accept(bot, [StatusEvent(external_id=first.external_id, status=status)])

    assert steps_of("wamid.1") == [
        "written by the person", "received", "begun",
        "claimed", "notice", "access", "rate_limit", "window", "commands", "budget", "completion",
        "completion recorded", "reply stored", "sending", "sent", "sending", "sent", "ended", "read",
    ]  # fmt: skip
    assert facts_of("wamid.1", "received") == {"kind": "text", "request_id": "request-1"}
    assert facts_of("wamid.1", "begun") == {"attempt": 1}
    assert facts_of("wamid.1", "reply stored") == {"parts": 2}
    assert facts_of("wamid.1", "completion recorded") == {
        "model": "gpt-6-luna-2026-01-01",
        "input_tokens": 100,
        "output_tokens": 20,
        "cost_micros": 0,
    }
    assert facts_of("wamid.1", "read") == {"part": 1}
    out = traced("wamid.1")
    assert out.endswith("Now: done\n")
    assert not any(secret in out for secret in ("secret question", "dear", ALICE, ALICE[1:]))
    assert traced(second.external_id) == out, "the reply's id leads to the same story"


def test_the_time_of_each_stage_is_its_own(bot: ActiveBot) -> None:
    now = timezone.now()
    steps = [["access", 100], ["completion", 350], ["stored", 400]]
    message = InboundFactory.create(bot_id=bot.id, external_id="m1", steps=steps, received_at=now)
    InboundMessage.objects.filter(pk=message.pk).update(turn_key=message.pk)
    stored_at = now + timedelta(seconds=1)
    OutboundMessage.objects.create(bot_id=bot.id, address=ALICE, turn_key=message.pk, part=1, created_at=stored_at)

    assert [facts_of("m1", stage) for stage in ("access", "completion")] == [{"ms": 100}, {"ms": 250}]
    (found,) = find("m1")
    times = {step.what: stored_at - step.at for step in trace(found).steps}
    assert times["access"] == timedelta(milliseconds=300)
    assert times["completion"] == timedelta(milliseconds=50)


def test_a_stage_takes_as_long_as_it_took(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    async def slowly(request: CompletionRequest) -> str:
        await asyncio.sleep(0.3)
        return "done"

    model.enqueue(slowly)
    accept.accept(bot, [event()])
    work_until(model=model)

    assert facts_of("wamid.1", "completion")["ms"] >= 300
    assert facts_of("wamid.1", "access")["ms"] < 300


def test_a_burst_is_one_story_whichever_message_is_asked_for(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event("m1"), event("m2")])
    work_until(model=model)

    key = InboundMessage.objects.get(external_id="m1").pk
    assert all(f"turn {key}" in traced(name) for name in ("m1", "m2"))
    assert "completion" in steps_of("m2")
    assert "sent" in steps_of("m2")


def test_a_failure_is_told_with_its_code(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    model.enqueue(AppError(ErrorCode.OPENAI_API_ERROR, "down"))
    accept.accept(bot, [event()])
    work_until(model=model)

    assert facts_of("wamid.1", "ended") == {"state": "done", "error_code": "OPENAI_API_ERROR"}
    assert "Now: done, with OPENAI_API_ERROR" in traced("wamid.1")


def test_a_dead_letter_says_how_it_is_replayed_and_a_replay_forgets_its_end(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    channel.enqueue(SendError("131026"))
    accept.accept(bot, [event()])
    work_until(model=model)

    message = InboundMessage.objects.get()
    assert f"Now: a dead letter (CHANNEL_ERROR:131026): manage.py replay {message.pk}" in traced("wamid.1")
    assert facts_of("wamid.1", "ended") == {"state": "dead", "error_code": "CHANNEL_ERROR:131026"}
    assert facts_of("wamid.1", "failed") == {"part": 1, "error_code": "CHANNEL_ERROR:131026"}
    call_command("replay", "--all", stdout=StringIO())
    assert "ended" not in steps_of("wamid.1")
    work_until(model=model)
    assert "Now: done\n" in traced("wamid.1")


def test_an_uncertain_send_is_told(alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel) -> None:
    channel.enqueue(SendError("TIMEOUT", uncertain=True))
    accept.accept(bot, [event()])
    work_until(model=model)

    assert facts_of("wamid.1", "uncertain") == {"part": 1, "error_code": "UNCERTAIN:TIMEOUT"}
    assert "sent" not in steps_of("wamid.1")


def test_a_status_that_is_faster_than_our_record_leaves_the_time_of_the_send(bot: ActiveBot) -> None:
    message = InboundFactory.create(bot_id=bot.id, state="done")
    part = OutboundMessage.objects.create(bot_id=bot.id, address=ALICE, turn_key=message.pk, part=1, status="sending")
    accept.accept(bot, [StatusEvent(external_id="", outbound_id=part.pk, status="sent")])
    part.refresh_from_db()
    sent_at = part.sent_at
    assert sent_at is not None
    OutboundMessage.objects.record([SendRecord(part.pk, "sent", "wamid.out")])
    accept.accept(bot, [StatusEvent(external_id="", outbound_id=part.pk, status="delivered")])
    part.refresh_from_db()
    assert (part.sent_at, part.delivered_at is not None, part.read_at) == (sent_at, True, None)


def test_what_waits_says_for_what(bot: ActiveBot) -> None:
    row = Bot.objects.get(pk=bot.id)
    message = InboundFactory.create(bot=row, external_id="m1")
    assert "Now: waiting for a worker\n" in traced("m1")

    lease = Lease.objects.create(
        bot=row, address=message.address, worker="w1", expires_at=timezone.now() + timedelta(seconds=30)
    )
    assert "Now: a worker has its chat (w1)\n" in traced("m1")

    Lease.objects.filter(pk=lease.pk).update(worker="")
    assert "Now: waiting; to be begun in 30 s\n" in traced("m1")

    Bot.objects.filter(pk=row.pk).update(paused_at=timezone.now(), pause_reason="CHANNEL_ERROR:190")
    assert "Now: waiting: the bot is paused (CHANNEL_ERROR:190)\n" in traced("m1")


def test_a_quarantined_item_says_why(bot: ActiveBot) -> None:
    accept.accept(bot, [RejectedItem(external_id="x", reason="messages[0] has no id")])
    (message,) = InboundMessage.objects.all()
    assert "Now: quarantined: messages[0] has no id" in traced(message.external_id)

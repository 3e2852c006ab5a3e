"""A stored reply goes out part by part, in order, and never twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bot.ai.base import CompletionRequest
from bot.channels.sending import SendError
from bot.models import InboundMessage, OutboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, states, statuses, work_until
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("turns_db"),
    pytest.mark.promise("window"),
    pytest.mark.promise("dead letters"),
]


def test_a_long_answer_goes_out_in_parts_and_in_order(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    model.enqueue(" ".join(f"word{number}" for number in range(1_500)))
    accept.accept(bot, [event()])
    work_until(model=model)

    assert len(channel.texts) > 1
    assert all(len(text) <= 4096 for text in channel.texts)
    assert " ".join(channel.texts).split() == [f"word{number}" for number in range(1_500)]
    assert [message.part for message in OutboundMessage.objects.order_by("id")] == list(
        range(1, len(channel.texts) + 1)
    )


def test_a_send_that_was_certainly_not_taken_is_tried_again_with_the_same_text(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    channel.enqueue(SendError("unreachable", retryable=True, retry_after=0.1))
    accept.accept(bot, [event()])
    work_until(model=model)

    assert channel.texts == ["Echo: Hello"] * 2
    assert len(model.history) == 1, "the answer was paid for once"
    assert statuses() == ["sent"]
    assert states() == [("done", "")]


def test_a_later_message_waits_for_a_send_that_is_tried_again(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    channel.enqueue(SendError("throttled", retryable=True, retry_after=0.5))
    accept.accept(bot, [event("m1", text="first")])
    work_until(lambda: len(channel.sent) >= 1, model=model)
    accept.accept(bot, [event("m2", text="second")])
    work_until(model=model)

    assert channel.texts == ["Echo: first", "Echo: first", "Echo: second"]


def test_a_refused_send_is_a_dead_letter_with_its_reason(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    channel.enqueue(SendError("131026"))
    accept.accept(bot, [event("m1")])
    work_until(model=model)
    accept.accept(bot, [event("m2", text="still there?")])
    work_until(model=model)

    assert states() == [("dead", "CHANNEL_ERROR:131026"), ("done", "")]
    assert statuses() == ["failed", "sent"]


def test_a_send_whose_end_is_unknown_is_uncertain_and_never_repeated(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    model.enqueue("x" * 5_000)
    channel.enqueue(SendError("timeout", uncertain=True))
    accept.accept(bot, [event()])
    work_until(model=model)

    assert len(channel.sent) == 1
    assert statuses() == ["uncertain", "failed"], "the second part may only follow one that was accepted"
    assert states() == [("done", "UNCERTAIN:timeout")]


def test_a_reply_that_a_killed_worker_stored_is_sent_without_asking_the_model_again(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event("m1"), event("m2")])
    first = InboundMessage.objects.earliest("id")
    InboundMessage.objects.filter(pk=first.pk).update(turn_key=first.pk, attempts=1)
    OutboundMessage.objects.create(bot_id=bot.id, address=ALICE, turn_key=first.pk, part=1, text="stored")

    work_until(model=model)

    assert channel.texts == ["stored", "Echo: Hello"], "the message that came later is a turn of its own"
    assert len(model.history) == 1


def test_a_send_that_a_killed_worker_began_is_uncertain(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event()])
    message = InboundMessage.objects.get()
    InboundMessage.objects.update(turn_key=message.pk, attempts=1)
    OutboundMessage.objects.create(
        bot_id=bot.id, address=ALICE, turn_key=message.pk, part=1, text="stored", status="sending"
    )

    work_until(model=model)

    assert not channel.sent
    assert not model.history
    assert statuses() == ["uncertain"]
    assert states() == [("done", "UNCERTAIN:INTERRUPTED")]


def test_a_status_that_overtook_our_record_stops_the_send(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event()])
    message = InboundMessage.objects.get()
    InboundMessage.objects.update(turn_key=message.pk, attempts=1)
    OutboundMessage.objects.create(
        bot_id=bot.id, address=ALICE, turn_key=message.pk, part=1, text="", status="delivered"
    )
    work_until(model=model)
    assert not channel.sent
    assert states() == [("done", "")]


def test_a_reply_after_the_window_is_expired_not_sent(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedChannel, "reply_window", timedelta(hours=24))

    async def until_it_is_too_late(request: CompletionRequest) -> str:
        monkeypatch.setattr(ScriptedChannel, "reply_window", timedelta(hours=22))
        return "too late"

    model.enqueue(until_it_is_too_late)
    accept.accept(bot, [event("m1", sent_at=timezone.now() - timedelta(hours=23))])
    work_until(model=model)

    assert not channel.sent
    assert statuses() == ["expired"]
    assert states() == [("done", "WINDOW_EXPIRED")]

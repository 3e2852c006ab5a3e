"""The pending messages of a chat are one turn."""

import asyncio
from typing import Any

import pytest
from django.utils import timezone

from bot.ai.base import CompletionRequest
from bot.models import InboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import BotFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, states, work_until
from usage.models import UsageRecord
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("turns_db"),
]


def test_a_burst_is_one_turn(alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel) -> None:
    accept.accept(bot, [event(f"m{number}", text=f"line {number}") for number in range(3)])

    work_until(model=model)

    assert channel.texts == ["Echo: line 0\nline 1\nline 2"]
    assert UsageRecord.objects.count() == 1
    assert states() == [("done", "")] * 3


def test_a_bot_that_waits_for_bursts_answers_late_and_together(
    alice: User, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    bot = BotFactory.active(burst_wait_seconds=1)
    accept.accept(bot, [event("m1", text="one")])
    accept.accept(bot, [event("m2", text="two")])

    assert not InboundMessage.objects.waiting_chats(timezone.now(), 1)
    work_until(model=model)

    assert channel.texts == ["Echo: one\ntwo"]


def test_messages_that_come_while_a_turn_runs_are_one_further_turn_and_come_after_it(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    async def while_more_arrives(request: CompletionRequest) -> str:
        later = [event(f"later{number}", text=f"later {number}") for number in range(3)]
        await asyncio.to_thread(in_thread, later)
        await asyncio.sleep(0.3)  # many polls: none of them may take the busy chat
        assert len(model.history) == 1
        return "first"

    def in_thread(later: list[Any]) -> None:
        from django.db import connection

        accept.accept(bot, later)
        connection.close()

    model.enqueue(while_more_arrives)
    accept.accept(bot, [event("m1", text="now")])

    work_until(model=model)

    assert channel.texts == ["first", "Echo: later 0\nlater 1\nlater 2"]


def test_what_cannot_be_read_gets_one_friendly_sentence(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event("m1", kind="image", text=""), event("m2", kind="audio", text="")])
    work_until(model=model)

    assert not model.history
    assert channel.texts == ["I can read text only so far. Please write to me instead."]
    assert states() == [("done", "UNSUPPORTED_MESSAGE")] * 2


def test_text_beside_an_image_is_answered_and_the_image_is_named(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event("m1", kind="image", text="my cat"), event("m2", text="Nice?")])
    work_until(model=model)
    assert model.history[0].messages[-1].content == "[image: my cat]\nNice?"

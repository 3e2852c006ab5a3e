"""Strangers are refused politely and cost no model call; who is let in is answered from then on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bot.models import AccessRequest
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import STRANGER, BotFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, states, work_until
from usage.models import UsageRecord
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("turns_db"),
]


def test_strangers_cost_no_model_call_and_get_one_polite_reply_a_day(
    bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    for number in range(3):
        accept.accept(bot, [event(f"m{number}", address=STRANGER, profile_name="Eve")])
        work_until(model=model)

    assert not model.history
    assert not channel.typing
    assert not UsageRecord.objects.exists()
    assert channel.texts == ["Hello! I only answer people who were invited. Please ask the owner for access."]
    request = AccessRequest.objects.get()
    assert (request.address, request.profile_name, request.messages) == (STRANGER, "Eve", 3)
    assert states() == [("done", "UNAUTHORIZED")], "only the message that was answered keeps a row"

    AccessRequest.objects.update(told_at=timezone.now() - timedelta(days=1, minutes=1))
    accept.accept(bot, [event("m9", address=STRANGER)])
    work_until(model=model)
    assert len(channel.sent) == 2


def test_a_bot_can_be_silent_to_strangers(channel: ScriptedChannel, model: ScriptedModel) -> None:
    accept.accept(BotFactory.active(tells_strangers=False), [event(address=STRANGER)])
    work_until(model=model)
    assert not channel.sent
    assert AccessRequest.objects.exists()


def test_access_counts_from_the_next_message_on(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    User.objects.update_whitelist(alice, False)
    accept.accept(bot, [event("m1")])
    work_until(model=model)
    User.objects.update_whitelist(alice, True)
    accept.accept(bot, [event("m2", text="now?")])
    work_until(model=model)

    assert len(model.history) == 1
    assert channel.texts[-1] == "Echo: now?"

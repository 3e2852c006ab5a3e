"""Statuses end at the furthest, in any order."""

from itertools import permutations

import pytest

from bot.channels.sending import SendError
from bot.models import OutboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.queue.uncertain import told
from bot.tests.support.factories import event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, statuses, work_until
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("turns_db"),
    pytest.mark.promise("statuses"),
]

LONG = "x" * 4096 + " rest"
UNKNOWN = SendError("timeout", uncertain=True)


@pytest.fixture
def uncertain(alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel) -> OutboundMessage:
    """The first of two parts, whose end nobody knows."""
    model.enqueue(LONG)
    channel.enqueue(UNKNOWN)
    accept.accept(bot, [event("m1")])
    work_until(model=model)
    assert statuses() == ["uncertain", "failed"]
    return OutboundMessage.objects.get(part=1)


@pytest.mark.parametrize("order", list(permutations(("sent", "delivered", "read"))), ids=" ".join)
def test_statuses_in_any_order_end_at_the_furthest(
    bot: ActiveBot, uncertain: OutboundMessage, order: tuple[str, ...]
) -> None:
    for status in order:
        told(bot, uncertain, status)
    assert OutboundMessage.objects.get(part=1).status == "read"

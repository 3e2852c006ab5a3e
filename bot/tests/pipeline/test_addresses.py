"""The other address that a message carries is its sender's from then on."""

import pytest

from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from conversations.models import Conversation
from users.models import Identity, User

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("turns_db"),
]


def test_a_person_is_known_by_a_second_address_once_both_came_together(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event("m0", address="DE.123")])
    work_until(model=model)
    assert not model.history, "nobody is known by it yet"

    accept.accept(bot, [event("m1", other_address="DE.123")])
    work_until(model=model)
    accept.accept(bot, [event("m2", address="DE.123", text="It is me")])
    work_until(model=model)

    assert Identity.objects.get().user == alice
    assert channel.texts[-1] == "Echo: It is me"
    assert Conversation.objects.count() == 1

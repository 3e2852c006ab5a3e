"""/usage: what a person has used, and what is left of their budget."""

import pytest

from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel
from bot.tests.support.spending import (
    ask,
    estimated,
    set_budget,
    terse_bot,
)
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("priced"),
    pytest.mark.django_db(transaction=True),
]

OVER = "You've reached today's limit. Please try again tomorrow."


@pytest.fixture
def bot(channel: ScriptedChannel) -> ActiveBot:
    return terse_bot()


@pytest.fixture
def alice(priced: None) -> User:
    return whitelisted(ALICE)


def test_commands_work_over_the_budget_and_usage_says_what_is_left(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    set_budget(alice, estimated())
    ask(bot, model, "Hello", "Hello", "/help", "/usage")
    assert channel.texts[1] == OVER
    assert "/usage" in channel.texts[2]
    assert channel.texts[3].splitlines()[-1] == "Left for today: $0.000095 of $0.000215"

    set_budget(alice, 1_000_000)
    ask(bot, model, "/usage")
    assert channel.texts[-1].splitlines()[-1] == "Left for today: $0.99988 of $1.00"
    set_budget(alice, None)
    ask(bot, model, "/usage")
    assert "Left" not in channel.texts[-1]
    assert len(model.history) == 1

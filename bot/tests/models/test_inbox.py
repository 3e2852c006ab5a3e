"""Which of the waiting chats come first."""

import pytest

from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import BotFactory, event
from bot.worker.claims import claim

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
]


@pytest.fixture
def bot() -> ActiveBot:
    return BotFactory.active(slug="shop")


def test_no_more_chats_are_claimed_than_asked_for_and_the_longest_waiting_first(bot: ActiveBot) -> None:
    for number in range(5):
        accept.accept(bot, [event(f"m{number}", address=f"+491510000000{number}")])

    assert [turn.address[-1] for turn in claim("one", 2)] == ["0", "1"]
    assert [turn.address[-1] for turn in claim("two", 10)] == ["2", "3", "4"]

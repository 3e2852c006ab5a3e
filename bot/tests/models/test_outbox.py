"""What was requested already is never queued again."""

import pytest

from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import BotFactory
from bot.tests.worker.held import claimed, put_back
from bot.worker import replies
from bot.worker.claims import claim

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
]


@pytest.fixture
def bot() -> ActiveBot:
    return BotFactory.active(slug="shop")


@pytest.mark.parametrize("put_off", ["given back", "tried later"])
def test_what_was_requested_or_begun_by_an_owner_before_is_never_queued_again(bot: ActiveBot, put_off: str) -> None:
    turn = claimed(bot)
    replies.store_replies("one", [turn])
    turn.requested = True
    put_back(turn, put_off)
    (heir,) = claim("two", 10)
    assert [part.status for part in heir.parts] == ["sending"]

    put_back(heir, put_off, "two")

    (again,) = claim("three", 10)
    assert [(part.status, part.begun) for part in again.parts] == [("sending", False)]

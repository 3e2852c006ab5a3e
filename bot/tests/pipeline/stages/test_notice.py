"""A notice for an owner is sent as it is."""

from typing import Any

import pytest

from bot.queue import accept
from bot.queue.notices import notify_owners
from bot.queue.snapshot import ActiveBot
from bot.tests.queue.noticing import write
from bot.tests.support.factories import BOB, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from users.models import User

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("turns_db"),
]

OLIVIA = "+4915111111111"


@pytest.fixture
def olivia(turns_db: None) -> User:
    return User.objects.create_superuser(OLIVIA, name="Olivia", is_whitelisted=True)


def test_a_notice_in_a_burst_neither_joins_nor_is_limited(
    olivia: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, settings: Any
) -> None:
    settings.RATE_LIMIT_PER_USER = 1
    settings.REDIS_URL = None  # (each worker counts for itself: only the second one counts here)
    write(bot, "m1", OLIVIA, model, text="one")
    accept.accept(bot, [event("m2", address=OLIVIA, text="two")])
    notify_owners("a", "News")
    accept.accept(bot, [event("m3", address=OLIVIA, text="three")])
    work_until(model=model)
    assert channel.texts[:3] == ["Echo: one", "Echo: two", "News"]
    assert [request.messages[-1].content for request in model.history][:2] == ["one", "two"]


def test_no_provider_can_make_a_message_a_notice(
    bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    accept.accept(bot, [event("m1", address=BOB, kind="notice", text="notice")])
    whitelisted(BOB)
    work_until(model=model)
    # (It is what somebody wrote, and is answered as such.)
    assert channel.texts == ["Echo: [notice: notice]"]


def test_an_owner_who_may_not_chat_is_told_all_the_same(
    olivia: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    write(bot, "m1", OLIVIA, model)
    User.objects.update_whitelist(olivia, False)
    notify_owners("a", "News")
    work_until(model=model)
    assert channel.texts == ["Echo: Hello", "News"]

"""What is held is given to whoever wrote it, and nobody else."""

from typing import Any

import pytest

from bot.models import AccessRequest
from bot.queue.snapshot import ActiveBot
from bot.tests.pipeline.commands.exporting import exported, files, say
from bot.tests.support.factories import ALICE, BOB, whitelisted
from bot.tests.support.fakes import ScriptedChannel
from conversations.models import Conversation
from conversations.tests.factories import add_messages
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)

REFUSAL = "Hello! I only answer people who were invited. Please ask the owner for access."
FOLLOWS = "Here is everything that is held about you, as two files: one to read, and one for programs."


@pytest.fixture(autouse=True)
def fresh_limits(settings: Any) -> None:
    settings.REDIS_URL = None


def test_who_is_blocked_gets_what_is_held_about_them(bot: ActiveBot, channel: ScriptedChannel, alice: User) -> None:
    conversation = Conversation.objects.find_or_create(alice, bot.slug)
    add_messages(conversation, [("user", "before I was blocked")])
    User.objects.update_whitelist(alice, False)
    say(bot, "/export", address=ALICE)
    assert channel.texts[0] == FOLLOWS
    assert "before I was blocked" in files(channel)["parley-data.txt"]
    assert exported(channel)["person"][0]["is_whitelisted"] is False
    assert not AccessRequest.objects.exists()


def test_a_second_address_that_is_somebody_elses_brings_nothing_of_anybody(
    bot: ActiveBot, channel: ScriptedChannel, alice: User
) -> None:
    bob = whitelisted(BOB)
    User.objects.link_identity(bob, "console", "US.BOBSID1")
    say(bot, "Bob's secret", address="US.BOBSID1")
    say(bot, "/export", address=ALICE, other_address="US.BOBSID1")
    # The number may have changed hands: whose account it is nobody can tell.
    assert [(one.address, one.filename) for one in channel.sent if one.address == ALICE] == [(ALICE, "")]
    assert channel.texts[-1] == REFUSAL

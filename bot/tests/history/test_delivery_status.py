"""What became of a part of a reply, as ticks and in words."""

import pytest
from django.test import Client

from bot.tests.history.talking import conversation, page_of, turn
from bot.tests.support.factories import ALICE, BOB, BotFactory, whitelisted
from conversations.models import Conversation
from users.roles import Role
from users.tests.factories import UserFactory

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db")]


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(UserFactory.create(role=Role.OWNER, phone_number=BOB))
    return client


@pytest.fixture
def talk(turns_db: None) -> Conversation:
    return conversation(whitelisted(ALICE, name="Alice"), BotFactory.create(slug="shop", name="The shop"))


@pytest.mark.parametrize(
    ("status", "tick", "words"),
    [
        ("queued", "○", "queued"),
        ("sending", "○", "sending"),
        ("sent", "✓", "sent"),
        ("delivered", "✓✓", "delivered"),
        ("read", "✓✓", "read"),
        ("failed", "✕", "failed"),
        ("uncertain", "?", "uncertain"),
        ("expired", "✕", "expired"),
    ],
)
def test_each_status_has_its_tick_and_says_so(
    owner: Client, talk: Conversation, status: str, tick: str, words: str
) -> None:
    turn(talk, 1, status, doubt="timeout")
    html = page_of(owner, talk)
    assert f'class="chat-tick {status}"' in html
    assert f'aria-hidden="true">{tick}</span>' in html
    assert f'desk-sr">{words}</span>' in html
    assert ("the provider did not answer in time" in html) == (status in ("failed", "uncertain", "expired"))

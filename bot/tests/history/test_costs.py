"""What a turn has cost, in one line for staff."""

from datetime import timedelta

import pytest
from django.test import Client

from bot.tests.history.talking import NOON, conversation, page_of, read, turn
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


def test_an_answer_has_its_model_its_tokens_its_cost_and_its_time(owner: Client, talk: Conversation) -> None:
    turn(talk, 1, "read")
    turn(talk, 2, "sent", cost=None)
    question, answer, _, unpriced = read(talk).said
    assert (question.mine, question.text, question.at) == (True, "Question 1", NOON + timedelta(minutes=1))
    assert (answer.mine, answer.text) == (False, "Answer 1")
    assert answer.cost == "gpt-6-luna-2026 · 1,200 + 34 tokens · $0.00125"
    assert answer.took == "4.00 s"
    assert unpriced.cost.endswith("price unknown")
    totals = read(talk).totals
    assert (totals.tokens, totals.cost, totals.unpriced) == ("2,400 + 68", "$0.00125", 1)
    html = page_of(owner, talk)
    assert "gpt-6-luna-2026 · 1,200 + 34 tokens · $0.00125" in html
    assert "and 1 call without a known price" in html

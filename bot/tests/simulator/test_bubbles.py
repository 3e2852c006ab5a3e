"""What was said is shown as bubbles, each once and in order."""

import pytest

from bot.models import InboundMessage, OutboundMessage
from bot.queue import snapshot
from bot.tests.simulator.chatting import ALICE_NUMBER, answer, news, send
from bot.tests.support.factories import BotFactory
from conversations.models import Message
from usage.models import UsageRecord
from users.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def bot():
    bot = BotFactory(slug="demo")
    snapshot.forget()
    yield bot
    snapshot.forget()


@pytest.fixture
def alice():
    return UserFactory(phone_number=ALICE_NUMBER, name="Alice")


@pytest.fixture
def staff(client):
    client.force_login(UserFactory(role="admin", is_whitelisted=False))
    return client


def test_a_reply_comes_with_what_it_cost_and_how_far_it_got(staff, bot, alice):
    send(staff)
    key = answer(bot, alice)
    told = news(staff, after=0)
    (reply,) = told["messages"]
    assert reply["text"] == "Hello, Alice"
    assert reply["cost"] == "gpt-2026 · 1,200 + 34 tokens · $0.001234"
    assert (reply["status"], reply["settled"], reply["problem"]) == ("sent", True, False)
    assert told["pending"] == 0
    assert told["last"] == OutboundMessage.objects.get(turn_key=key).pk


def test_a_long_reply_shows_its_cost_once_under_its_last_part(staff, bot, alice):
    send(staff)
    answer(bot, alice, parts=3)
    assert [bool(one["cost"]) for one in news(staff, after=0)["messages"]] == [False, False, True]


def test_a_price_nobody_knows_is_not_shown_as_nothing(staff, bot, alice):
    send(staff)
    key = answer(bot, alice)
    tokens = {"input_tokens": 1, "output_tokens": 1}
    UsageRecord.objects.create(user=alice, bot=bot.slug, model="x", **tokens, cost_micros=None, turn_key=key)
    assert news(staff, after=0)["messages"][0]["cost"] == "x · 1,201 + 35 tokens · price unknown"


def test_a_reply_that_is_stored_ends_the_waiting_before_it_is_sent(staff, bot, alice):
    send(staff)
    answer(bot, alice, status="sending")
    InboundMessage.objects.update(state="pending", payload={"text": "Hello"})
    told = news(staff)
    assert told["pending"] == 0
    assert [(one["mine"], one["settled"]) for one in told["messages"]] == [(True, True), (False, False)]


@pytest.mark.parametrize("status", ["failed", "uncertain", "expired"])
def test_a_reply_that_did_not_arrive_is_marked(staff, bot, alice, status):
    send(staff)
    answer(bot, alice, status=status)
    (reply,) = news(staff, after=0)["messages"]
    assert (reply["problem"], reply["settled"], reply["status"]) == (True, True, status)


def test_a_message_that_was_given_up_is_marked(staff, bot, alice):
    send(staff, text="Oh no")
    InboundMessage.objects.update(state="dead")
    told = news(staff, after=0)
    assert [(one["text"], one["problem"]) for one in told["messages"]] == [("Oh no", True)]
    assert told["pending"] == 0


def test_after_reload_the_conversation_is_still_there_in_order(staff, bot, alice):
    for number in ("one", "two"):
        send(staff, text=f"ask {number}")
        answer(bot, alice, f"reply {number}", asked=f"ask {number}")
    send(staff, text="ask three")
    told = news(staff)
    assert [one["text"] for one in told["messages"]] == ["ask one", "reply one", "ask two", "reply two", "ask three"]
    assert [one["mine"] for one in told["messages"]] == [True, False, True, False, True]
    assert [bool(one["cost"]) for one in told["messages"]] == [False, True, False, True, False]


def test_equal_replies_keep_their_own_costs(staff, bot, alice):
    for cost in (1_000, 2_000):
        send(staff)
        answer(bot, alice, "Done.", cost=cost)
    costs = [one["cost"] for one in news(staff)["messages"] if not one["mine"]]
    assert [line.rpartition(" ")[2] for line in costs] == ["$0.001", "$0.002"]


def test_an_answer_remembered_before_turns_were_noted_is_shown_once_and_alone(staff, bot, alice):
    send(staff)
    answer(bot, alice)
    Message.objects.update(turn_key=None)
    told = news(staff)["messages"]
    assert [(one["text"], one["cost"], one["id"]) for one in told] == [("Hello", "", 0), ("Hello, Alice", "", 0)]


def test_a_reply_whose_text_was_emptied_is_shown_from_memory(staff, bot, alice):
    send(staff)
    answer(bot, alice)
    OutboundMessage.objects.update(text="")
    assert [one["text"] for one in news(staff)["messages"]] == ["Hello", "Hello, Alice"]


def test_an_emptied_reply_that_nobody_remembers_is_no_empty_bubble(staff, bot, alice):
    send(staff)
    answer(bot, alice, cost=None, remember=False)
    OutboundMessage.objects.update(text="")
    assert news(staff)["messages"] == []

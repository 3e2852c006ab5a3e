"""What the simulator reads of one chat, and of nobody else's."""

import pytest

from bot.models import InboundMessage, OutboundMessage
from bot.queue import snapshot
from bot.simulator.queries import UNKNOWN_NUMBER
from bot.tests.simulator.chatting import ALICE_NUMBER, answer, news, send
from bot.tests.support.factories import BotFactory
from conversations.models import Conversation
from users.tests.factories import UserFactory

BOB_NUMBER = "+12025550102"
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
def bob():
    return UserFactory(phone_number=BOB_NUMBER, name="Bob")


@pytest.fixture
def staff(client):
    client.force_login(UserFactory(role="admin", is_whitelisted=False))
    return client


def test_only_what_is_newer_is_told_again(staff, bot, alice):
    send(staff)
    answer(bot, alice, "one")
    last = news(staff)["last"]
    assert news(staff, after=last) == {
        "messages": [], "last": last, "pending": 0, "waited_seconds": 0.0, "working": False,
    }  # fmt: skip
    send(staff)
    answer(bot, alice, "two")
    assert [one["text"] for one in news(staff, after=last)["messages"]] == ["two"]


def test_a_cleared_conversation_stays_cleared_but_for_what_no_model_said(staff, bot, alice):
    send(staff, text="Secret")
    answer(bot, alice, asked="Secret")
    send(staff, text="/clear")
    answer(bot, alice, "Forgotten.", cost=None, remember=False)
    Conversation.objects.clear_conversation(alice, bot.slug)
    assert [one["text"] for one in news(staff)["messages"]] == ["Forgotten."]


def test_nobody_sees_the_chat_of_another_person_or_bot(staff, bot, alice, bob):
    BotFactory(slug="other")
    send(staff, text="Alice's secret")
    answer(bot, alice, "Alice's reply", asked="Alice's secret")
    send(staff, text="Alice waits")
    for query in ({"person": BOB_NUMBER}, {"person": UNKNOWN_NUMBER}, {"bot": "other"}):
        for after in ({}, {"after": 0}):
            told = news(staff, **query, **after)
            assert (told["messages"], told["pending"]) == ([], 0)


def test_an_unknown_person_sees_the_polite_reply_though_the_message_is_deleted(staff, bot):
    send(staff, person=UNKNOWN_NUMBER)
    assert news(staff, person=UNKNOWN_NUMBER)["pending"] == 1
    # A stored reply is found only once it is sent: until then the page goes on waiting.
    InboundMessage.objects.update(turn_key=1)
    assert news(staff, person=UNKNOWN_NUMBER)["pending"] == 1
    answer(bot, None, "Please ask the owner.", cost=None, address=UNKNOWN_NUMBER)
    InboundMessage.objects.all().delete()
    told = news(staff, person=UNKNOWN_NUMBER)
    assert [one["text"] for one in told["messages"]] == ["Please ask the owner."]
    assert told["pending"] == 0


def test_the_number_of_queries_does_not_grow_with_what_there_is(
    staff, bot, alice, django_assert_num_queries, django_assert_max_num_queries
):
    def grow():
        for number in range(12):
            send(staff, text=f"ask {number}")
            answer(bot, alice, f"reply {number}", asked=f"ask {number}", parts=2)
        send(staff, text="waits")

    grow()
    news(staff)
    login = 2  # session and user
    # person, whether they may be written as, inbox, outbox, usage, memory, lease
    with django_assert_num_queries(login + 7):
        news(staff)
    InboundMessage.objects.all().delete()
    grow()
    with django_assert_num_queries(login + 7):
        news(staff)
    last = OutboundMessage.objects.order_by("-id")[0].pk
    # person, whether they may be written as, inbox, outbox, lease
    with django_assert_num_queries(login + 5):
        news(staff, after=last)
    UserFactory.create_batch(20)
    BotFactory.create_batch(20)
    # bots, people, the signed-in person
    with django_assert_max_num_queries(login + 4):
        staff.get("/")

"""What somebody writes on the page goes into the inbox like any other message."""

import json

import pytest

from bot.models import InboundMessage
from bot.queue import snapshot
from bot.tests.simulator.chatting import ALICE_NUMBER, SEND, news, send
from bot.tests.support.factories import BotFactory
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
def staff(client):
    client.force_login(UserFactory(role="admin", is_whitelisted=False))
    return client


def test_a_message_goes_into_the_inbox_like_any_other(staff, bot, alice):
    response = send(staff, text="  Hello\r\nthere\x00 ")
    assert response.status_code == 201
    message = response.json()["message"]
    row = InboundMessage.objects.get()
    assert (row.bot, row.address, row.kind, row.state) == (bot, ALICE_NUMBER, "text", "pending")
    assert row.payload == {"text": "Hello\nthere", "visitor": int(staff.session["_auth_user_id"])}
    assert message["text"] == "Hello\nthere"
    assert message["key"] == f"in-{row.external_id}"
    assert row.sent_at is not None


def test_a_bot_that_was_added_a_moment_ago_can_be_talked_to_at_once(staff, bot, alice):
    assert send(staff).status_code == 201
    BotFactory(slug="new")
    assert send(staff, bot="new").status_code == 201


def test_equal_messages_in_quick_succession_are_all_kept(staff, bot, alice):
    assert [send(staff, text="ping").status_code for _ in range(3)] == [201] * 3
    assert InboundMessage.objects.count() == 3
    assert news(staff)["pending"] == 3


def test_the_longest_allowed_message_is_accepted_however_it_is_escaped(staff, bot, alice):
    text = "\N{GRINNING FACE}" * 4096  # twelve bytes each as JSON escapes
    assert send(staff, text=text).status_code == 201
    assert InboundMessage.objects.get().payload["text"] == text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"text": ""}, "empty"),
        ({"text": " \n\t "}, "empty"),
        ({"text": "\u0000\u0007"}, "empty"),
        ({"text": "\ud800"}, "empty"),
        ({"text": "x" * 4097}, "4097 characters; at most 4096"),
        ({"text": None}, "JSON object"),
        ({"text": 7}, "JSON object"),
        ({"text": ["x"]}, "JSON object"),
        ({"bot": "nobody"}, "There are: demo"),
        ({"bot": "paused"}, "There are: demo"),
        ({"bot": "wa"}, "There are: demo"),
        ({"bot": "\u0000"}, "There are: demo"),
        ({"bot": None}, "JSON object"),
        ({"person": "+12025550177"}, "not whitelisted"),
        ({"person": BOB_NUMBER}, "not whitelisted"),
        ({"person": ""}, "not whitelisted"),
        ({"person": "\u0000"}, "not whitelisted"),
        ({"person": "\ud800"}, "not whitelisted"),
        ({"person": None}, "JSON object"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_a_reason_and_stores_nothing(staff, bot, alice, change, says):
    BotFactory(slug="paused", is_active=False)
    BotFactory(slug="wa", channel="whatsapp")
    UserFactory(phone_number=BOB_NUMBER, is_whitelisted=False)
    fields = {"bot": "demo", "person": ALICE_NUMBER, "text": "Hello", **change}
    response = staff.post(SEND, json.dumps(fields), content_type="application/json")
    assert response.status_code == 400
    assert says in response.json()["error"]
    assert not InboundMessage.objects.exists()

"""Inbox, outbox and chats under way in the admin: what one sees, who sees texts, and that nothing is done unasked."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bot.models import Bot, InboundMessage, Lease, OutboundMessage
from bot.tests.admin.messages.asking import State, html_of, page, sent
from bot.tests.support.factories import ALICE, STRANGER, BotFactory, InboundFactory, whitelisted
from bot.tests.support.fakes import ScriptedChannel
from conversations.models import Conversation
from users.roles import Role
from users.tests.factories import UserFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

LISTS = {name: reverse(f"admin:bot_{name}_changelist") for name in ("inboundmessage", "outboundmessage", "lease")}


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(UserFactory.create(role=Role.OWNER))
    return client


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(UserFactory.create(role=Role.ADMIN))
    return client


@pytest.fixture
def shop(db: None, channel: ScriptedChannel) -> Bot:
    return BotFactory.create(slug="shop", name="The shop")


# --- lists ---


def test_the_inbox_says_who_how_long_ago_and_why_and_no_number_in_full(admin: Client, shop: Bot) -> None:
    person = whitelisted(ALICE, name="Alice")
    then = timezone.now() - timedelta(minutes=3, seconds=5)
    InboundFactory.create(bot=shop, state=State.DEAD, error_code="CHANNEL_ERROR:131026", received_at=then)
    InboundFactory.create(bot=shop, address=STRANGER, available_at=timezone.now() - timedelta(hours=2))
    html = html_of(admin, LISTS["inboundmessage"])
    assert "3\xa0minutes ago" in html and then.strftime('title="%Y-%m-%d %H:%M:%S') in html
    assert f'href="{reverse("admin:users_user_change", args=[person.pk])}"' in html and ">Alice<" in html
    assert "The provider did not take the reply (the number has no WhatsApp" in html
    assert 'desk-chip bad">dead letter' in html and 'desk-chip warn">pending' in html and "2\xa0hours ago" in html
    assert "+49…78" in html and "+1…23" in html
    assert ALICE not in html and STRANGER not in html


# --- pages of one message ---


def test_a_dead_letter_says_why_tells_its_story_and_offers_to_be_replayed(owner: Client, shop: Bot) -> None:
    person = whitelisted(ALICE, name="Alice")
    talk = Conversation.objects.create(user=person, bot="shop", expires_at=timezone.now() + timedelta(days=1))
    reply = sent(shop, "failed", code="CHANNEL_ERROR:131047")
    then = timezone.now() - timedelta(seconds=3)
    steps = [["claimed", 2], ["completion", 900], ["stored", 910]]
    times = {"received_at": then, "begun_at": then, "finished_at": timezone.now()}
    kept = {"payload": {"text": "a secret question"}, "steps": steps, **times}
    InboundMessage.objects.update(state=State.DEAD, error_code="CHANNEL_ERROR:131047", **kept)
    html = html_of(owner, page("inboundmessage", reply.turn_key))
    assert "more than 24 hours have passed since the person wrote" in html and "replay the message" in html
    for step in ("Received", "Waited", "Model", "Stored", "Failed"):
        assert f">{step}<" in html
    assert page("outboundmessage", reply.pk) in html
    assert reverse("admin:conversations_conversation_change", args=[talk.pk]) in html
    assert 'value="replay"' in html and "csrfmiddlewaretoken" in html
    assert "a secret question" not in html and "Hello Alice" not in html
    InboundMessage.objects.update(state=State.DONE)
    assert 'value="replay"' not in html_of(owner, page("inboundmessage", reply.turn_key))


def test_what_a_pending_message_waits_for_is_said(admin: Client, shop: Bot) -> None:
    message = InboundFactory.create(bot=shop)
    url = page("inboundmessage", message.pk)
    assert "It waits for a worker." in html_of(admin, url)
    lease = Lease.objects.create(
        bot=shop, address=ALICE, worker="host:1", expires_at=timezone.now() + timedelta(hours=1)
    )
    assert "A worker is at it (host:1)." in html_of(admin, url)
    Lease.objects.filter(pk=lease.pk).update(worker="")
    assert "It is tried again at " in html_of(admin, url)
    Bot.objects.update(paused_at=timezone.now())
    assert "The bot is paused" in html_of(admin, url)


def test_what_could_not_be_read_says_why(admin: Client, shop: Bot) -> None:
    message = InboundFactory.create(
        bot=shop, kind="rejected", address="", state=State.QUARANTINED, error_code="INVALID_INPUT",
        payload={"reason": "the message has no type"},
    )  # fmt: skip
    html = html_of(admin, page("inboundmessage", message.pk))
    assert "could not be read" in html and "the message has no type" in html
    assert "unreadable" in html_of(admin, LISTS["inboundmessage"])


@pytest.mark.parametrize("role", [None, Role.USER])
def test_who_has_no_business_here_is_sent_away(client: Client, shop: Bot, role: Role | None) -> None:
    reply = sent(shop)
    if role:
        client.force_login(UserFactory.create(role=role))
    for url in (*LISTS.values(), page("inboundmessage", reply.turn_key), page("outboundmessage", reply.pk)):
        response = client.get(url)
        assert response.status_code == 302 and "/login/" in response["Location"]


def test_pages_of_what_is_not_there_lead_back(admin: Client) -> None:
    for model in ("inboundmessage", "outboundmessage", "lease"):
        for pk in ("1", "x"):
            assert admin.get(reverse(f"admin:bot_{model}_change", args=[pk])).status_code == 302


def everything() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (InboundMessage, OutboundMessage)]


@pytest.mark.parametrize(
    ("model", "action", "able", "words"),
    [
        ("inboundmessage", "replay", "dead", "worked on again at once"),
        ("outboundmessage", "mark_sent", "uncertain", "which was held back, is sent now"),
        ("outboundmessage", "send_again", "uncertain", "arrives twice"),
    ],
)
def test_an_action_asks_says_to_what_and_changes_nothing_until_it_is_confirmed(
    admin: Client, shop: Bot, model: str, action: str, able: str, words: str
) -> None:
    whitelisted(ALICE, name="Alice")
    good, bad = sent(shop), sent(shop, "uncertain", doubt="timeout")
    dead = InboundFactory.create(bot=shop, state=State.DEAD, error_code="INTERNAL_ERROR")
    chosen = {"inboundmessage": (dead.pk, good.turn_key), "outboundmessage": (bad.pk, good.pk)}[model]
    before = everything()
    post = {"action": action, "_selected_action": list(chosen)}
    html = admin.post(LISTS[model], post).content.decode()
    assert words in html and "Alice" in html and ALICE not in html
    assert f"#{chosen[0]} · The shop" in html
    left_out = html[html.index("Left as they are") :]
    assert f"#{chosen[1]} · The shop" in left_out and f"#{chosen[0]} · " not in left_out
    assert 'name="confirmed" value="1"' in html and f'value="{chosen[0]}"' in html
    assert everything() == before
    assert admin.post(LISTS[model], {**post, "confirmed": "1"}).status_code == 302
    assert everything() != before


def test_nothing_to_be_done_offers_nothing(admin: Client, shop: Bot) -> None:
    reply = sent(shop)
    html = admin.post(
        LISTS["outboundmessage"], {"action": "send_again", "_selected_action": [reply.pk]}
    ).content.decode()
    assert "Left as they are" in html and "Send again</button>" not in html


def test_acting_needs_the_token_against_forged_requests(shop: Bot) -> None:
    dead = InboundFactory.create(bot=shop, state=State.DEAD, error_code="INTERNAL_ERROR")
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory.create(role=Role.OWNER))
    post = {"action": "replay", "_selected_action": [dead.pk], "confirmed": "1"}
    assert client.post(LISTS["inboundmessage"], post).status_code == 403
    dead.refresh_from_db()
    assert dead.state == State.DEAD


def test_a_question_about_many_messages_takes_the_same_queries_as_about_few(admin: Client, shop: Bot) -> None:
    def queries() -> int:
        ids = list(InboundMessage.objects.values_list("pk", flat=True))
        with CaptureQueriesContext(connection) as captured:
            admin.post(LISTS["inboundmessage"], {"action": "replay", "_selected_action": ids})
        return len(captured)

    InboundFactory.create_batch(2, bot=shop, state=State.DEAD, error_code="INTERNAL_ERROR")
    InboundFactory.create(bot=shop, state=State.DONE)
    few = queries()
    InboundFactory.create_batch(40, bot=shop, state=State.DEAD, error_code="INTERNAL_ERROR")
    assert queries() == few

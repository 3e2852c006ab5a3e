"""Conversations in the admin: a list, and each as a transcript, for owners."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bot.models import Bot
from bot.tests.history.talking import conversation, page_of, read, turn
from bot.tests.support.factories import ALICE, BOB, BotFactory, InboundFactory, whitelisted
from conversations.models import Conversation, Message
from users.models import AuditEntry
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


def test_older_messages_are_a_link_away(owner: Client, talk: Conversation) -> None:
    for number in range(1, 52):
        turn(talk, number, "read")
    newest = page_of(owner, talk)
    first_shown = Message.objects.order_by("-pk")[99]
    assert f'href="?before={first_shown.pk}"' in newest and ">Question 1<" not in newest
    older = page_of(owner, talk, before=first_shown.pk)
    assert ">Question 1<" in older and ">Question 51<" not in older and "Older messages" not in older
    assert ">Question 51<" in page_of(owner, talk, before="nonsense")


@pytest.mark.parametrize("turns", [1, 30])
def test_a_page_takes_the_same_queries_however_much_was_said(owner: Client, talk: Conversation, turns: int) -> None:
    for number in range(turns):
        turn(talk, number, "read", "failed", code="CHANNEL_ERROR:131026")
    InboundFactory.create(bot=Bot.objects.get(), payload={"text": "Are you there?"})
    with CaptureQueriesContext(connection) as captured:
        read(talk)
    # the bot, channels; messages, calls, parts, first messages; addresses, what waits or is dead; first and last one
    assert len(captured) == 11, [query["sql"] for query in captured]
    page_of(owner, talk)
    with CaptureQueriesContext(connection) as captured:
        page_of(owner, talk)
    assert len(captured) == 17, [query["sql"] for query in captured]


def test_a_transcript_leads_to_all_around_it(owner: Client, talk: Conversation) -> None:
    html = page_of(owner, talk)
    bot = Bot.objects.get()
    for place in (
        reverse("admin:users_user_change", args=[talk.user_id]),
        reverse("admin:bot_bot_change", args=[bot.pk]),
        reverse("admin:bot_inboundmessage_changelist") + f"?person={talk.user_id}&amp;bot__id__exact={bot.pk}",
        reverse("admin:bot_outboundmessage_changelist") + f"?person={talk.user_id}&amp;bot__id__exact={bot.pk}",
        reverse("admin:conversations_conversation_delete", args=[talk.pk]),
        reverse("simulator:chat"),
    ):
        assert f'href="{place}' in html
    Bot.objects.update(channel="whatsapp")
    assert f"{reverse('simulator:chat')}?bot=" not in page_of(owner, talk)
    Bot.objects.all().delete()
    assert "shop" in page_of(owner, talk)


def test_owners_only_may_read_and_each_reading_is_noted(client: Client, talk: Conversation) -> None:
    turn(talk, 1, "read")
    url = reverse("admin:conversations_conversation_change", args=[talk.pk])
    assert client.get(url).status_code == 302
    for role, status in ((Role.USER, 302), (Role.ADMIN, 403)):
        client.force_login(UserFactory.create(role=role))
        response = client.get(url)
        assert response.status_code == status and b"Question 1" not in response.content
        assert client.get(reverse("admin:conversations_conversation_changelist")).status_code == status
    assert not AuditEntry.objects.exists()
    owner = UserFactory.create(role=Role.OWNER)
    client.force_login(owner)
    page_of(client, talk)
    page_of(client, talk, before=Message.objects.latest("pk").pk)
    entries = AuditEntry.objects.values_list("action", "actor", "subject", "details")
    assert list(entries) == [("read", owner.pk, talk.user_id, {"conversation": talk.pk})] * 2


def test_the_list_has_who_spoke_last_first_and_is_found_by_name_number_address_and_bot(
    owner: Client, talk: Conversation
) -> None:
    talk.user.identities.create(channel="telegram", address="700123")
    other = conversation(UserFactory.create(name="Zoe"), BotFactory.create(slug="help", name="Help desk"))
    Conversation.objects.filter(pk=talk.pk).update(expires_at=timezone.now() + timedelta(days=3))
    url = reverse("admin:conversations_conversation_changelist")

    def found(**query: str) -> list[Conversation]:
        return list(owner.get(url, query).context["cl"].result_list)

    assert found() == [talk, other]
    for term in ("alic", "0049 151 12345678", "700123", "SHOP", "the shop"):
        assert found(q=term) == [talk], term
    assert found(q="nobody") == []
    assert found(bot="help") == [other]
    assert "Help desk" in owner.get(url).content.decode()

"""The list of bots: how each stands, and what waits."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bot.tests.support.factories import BotFactory, InboundFactory, WhatsAppBotFactory
from users.models import User
from users.tests.factories import alice

pytestmark = pytest.mark.django_db

LIST = reverse("admin:bot_bot_changelist")


@pytest.fixture
def owner(client: Client) -> User:
    user = alice()
    client.force_login(user)
    return user


def test_the_list_says_what_waits_and_leads_to_it(client: Client, owner: User) -> None:
    bot, other = BotFactory.create(slug="shop"), WhatsAppBotFactory.create(slug="wa")
    InboundFactory.create_batch(3, bot=bot)
    InboundFactory.create(bot=other, state="done")
    page = client.get(LIST).content.decode()
    assert "3 waiting" in page
    assert page.count(" waiting</a>") == 1
    assert f"?bot__id__exact={bot.pk}&amp;state__exact=pending" in page
    assert f"?bot__id__exact={other.pk}" in page
    assert "/?bot=shop" in page
    assert "/webhooks/whatsapp/wa/" in page


def test_the_list_needs_as_many_queries_for_many_bots_as_for_one(
    client: Client, owner: User, django_assert_num_queries: Any
) -> None:
    WhatsAppBotFactory.create()
    # session, person, bots (two counts: what fits the filters, and the page), messages that wait
    for more in (0, 12):
        for bot in WhatsAppBotFactory.create_batch(more, credentials={}):
            InboundFactory.create_batch(2, bot=bot)
        with django_assert_num_queries(5):
            client.get(LIST)

"""Rows of the lists of messages: whose they are, and never a query for each."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bot.models import Bot, Lease
from bot.tests.admin.messages.asking import sent, shown
from bot.tests.support.factories import STRANGER, BotFactory, InboundFactory
from bot.tests.support.fakes import ScriptedChannel
from users.roles import Role
from users.tests.factories import UserFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

LISTS = {name: reverse(f"admin:bot_{name}_changelist") for name in ("inboundmessage", "outboundmessage", "lease")}


# (Chats that nobody is at are not shown unasked.)
EVERYTHING = {"lease": {"which": "all"}}


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(UserFactory.create(role=Role.ADMIN))
    return client


@pytest.fixture
def shop(db: None, channel: ScriptedChannel) -> Bot:
    return BotFactory.create(slug="shop", name="The shop")


@pytest.mark.parametrize("name", LISTS)
def test_a_list_takes_the_same_queries_for_many_rows(admin: Client, shop: Bot, name: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert shown(admin, LISTS[name], **EVERYTHING.get(name, {}))
        return len(captured)

    def rows(count: int) -> None:
        for person in UserFactory.create_batch(count):
            bot = BotFactory.create()
            sent(bot, doubt="RESOLVED", address=person.phone_number)
            Lease.objects.create(bot=bot, address=person.phone_number or "", worker="w", expires_at=timezone.now())

    rows(2)
    few = queries()
    rows(20)
    assert queries() == few <= 12


@pytest.mark.parametrize("term", ["+12025550123", "1 (202) 555-0123", "the-id"])
def test_a_message_is_found_by_its_persons_number_in_any_spelling_and_by_its_id(
    admin: Client, shop: Bot, term: str
) -> None:
    message = InboundFactory.create(bot=shop, address=STRANGER, external_id="the-id")
    InboundFactory.create(bot=shop)
    assert shown(admin, LISTS["inboundmessage"], q=term) == [message]
    reply = sent(shop, address=STRANGER, external_id="the-id")
    sent(shop)
    assert shown(admin, LISTS["outboundmessage"], q=term) == [reply]

"""What has which status is found in the lists of messages."""

import pytest
from django.test import Client
from django.urls import reverse

from bot.channels.events import StatusEvent
from bot.models import Bot
from bot.queue import accept
from bot.reasons import reason_of
from bot.tests.admin.messages.asking import State, Status, sent, shown
from bot.tests.support.factories import ALICE, STRANGER, BotFactory, InboundFactory, whitelisted
from users.roles import Role
from users.tests.factories import UserFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]

LISTS = {name: reverse(f"admin:bot_{name}_changelist") for name in ("inboundmessage", "outboundmessage", "lease")}


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(UserFactory.create(role=Role.ADMIN))
    return client


@pytest.fixture
def shop(db: None) -> Bot:
    return BotFactory.create(slug="shop", name="The shop")


def test_filters_of_the_inbox(admin: Client, shop: Bot) -> None:
    person = whitelisted(ALICE, name="Alice")
    done = InboundFactory.create(bot=shop, state=State.DONE)
    dead = InboundFactory.create(bot=shop, state=State.DEAD, address=STRANGER)
    picture = InboundFactory.create(bot=BotFactory.create(), kind="image")
    url = LISTS["inboundmessage"]
    assert shown(admin, url) == [picture, dead, done]
    assert shown(admin, url, attention="needed") == shown(admin, url, state__exact="dead") == [dead]
    assert shown(admin, url, kind="image") == shown(admin, url, bot__id__exact=picture.bot_id) == [picture]
    assert shown(admin, url, person=person.pk) == [picture, done]
    assert shown(admin, url, person=person.pk, bot__id__exact=shop.pk) == [done]


@pytest.mark.parametrize("status", Status.values)
def test_each_status_is_found(admin: Client, shop: Bot, status: str) -> None:
    why = {"uncertain": {"doubt": "timeout"}, "failed": {"doubt": "timeout"}, "expired": {"code": "WINDOW_EXPIRED"}}
    rows = {one: sent(shop, one, **(why.get(one, {}) if one == status else {"code": "X"})) for one in Status.values}
    assert shown(admin, LISTS["outboundmessage"], status__exact=status) == [rows[status]]
    attention = shown(admin, LISTS["outboundmessage"], attention="needed")
    assert attention == [rows["uncertain"], rows["failed"]]


def test_what_the_provider_says_has_failed_without_saying_why_is_found_as_well(admin: Client) -> None:
    bot = BotFactory.active(slug="shop")
    reply = sent(Bot.objects.get())
    accept.accept(bot, [StatusEvent("w1", "failed", outbound_id=reply.pk)])
    (found,) = shown(admin, LISTS["outboundmessage"], status__exact="failed")
    assert found == reply
    assert str(reason_of(found.error_code)) == "The provider says that it failed, and not why."

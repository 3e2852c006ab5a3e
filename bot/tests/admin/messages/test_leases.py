"""The chats under way in the admin."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.models import Bot, Lease
from bot.tests.admin.messages.asking import html_of, page, shown
from bot.tests.support.factories import ALICE, BotFactory
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


def test_chats_under_way_are_those_that_somebody_has(admin: Client, shop: Bot) -> None:
    now = timezone.now()
    held = Lease.objects.create(bot=shop, address=ALICE, worker="host:1", expires_at=now + timedelta(seconds=30))
    put_off = Lease.objects.create(bot=shop, address="+491", expires_at=now + timedelta(seconds=30))
    free = Lease.objects.create(bot=shop, address="+492", expires_at=now)
    died = Lease.objects.create(bot=shop, address="+493", worker="host:2", deaths=2, expires_at=now)
    url = LISTS["lease"]
    assert shown(admin, url) == [put_off, held]
    assert shown(admin, url, which="all") == [died, free, put_off, held]
    assert shown(admin, url, which="deaths") == [died]
    html = html_of(admin, url, which="all")
    for words in (
        "a worker answers",
        "put off: it is tried again",
        "free",
        "left behind by a worker",
        "2 workers died",
    ):
        assert words in html
    assert "host:1" in html_of(admin, page("lease", held.pk))

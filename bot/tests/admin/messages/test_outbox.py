"""The outbox in the admin: found by status, explained, its texts for owners only."""

import pytest
from django.test import Client
from django.urls import reverse

from bot.models import Bot, OutboundMessage
from bot.tests.admin.messages.asking import html_of, page, sent, shown
from bot.tests.support.factories import ALICE, BotFactory, whitelisted
from bot.tests.support.fakes import ScriptedChannel
from users.models import AuditEntry
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


def test_a_reply_is_found_by_its_turn(admin: Client, shop: Bot) -> None:
    reply = sent(shop)
    sent(shop)
    assert shown(admin, LISTS["outboundmessage"], q=str(reply.turn_key)) == [reply]


def test_an_uncertain_message_is_explained_and_offers_what_can_be_done(owner: Client, shop: Bot) -> None:
    reply = sent(shop, "uncertain", doubt="connection_lost")
    url = page("outboundmessage", reply.pk)
    html = html_of(owner, url)
    assert "The provider may or may not have it (the connection broke before the provider answered)." in html
    assert 'value="mark_sent"' in html and 'value="send_again"' in html
    assert page("inboundmessage", reply.turn_key) in html
    OutboundMessage.objects.update(text="")
    html = html_of(owner, url)
    assert 'value="mark_sent"' in html and 'value="send_again"' not in html and "No longer kept" in html
    assert "it cannot be sent again" in html
    OutboundMessage.objects.update(status="delivered", error_code="")
    html = html_of(owner, url)
    assert 'value="mark_sent"' not in html and 'value="send_again"' not in html


def test_a_text_is_shown_to_owners_only_and_reading_it_is_noted(client: Client, shop: Bot) -> None:
    person = whitelisted(ALICE)
    reply = sent(shop, text="<script>a secret</script>")
    url = page("outboundmessage", reply.pk)
    client.force_login(UserFactory.create(role=Role.ADMIN))
    html = html_of(client, url)
    assert "a secret" not in html and 'value="mark_sent"' not in html
    assert "a secret" not in html_of(client, LISTS["outboundmessage"])
    assert not AuditEntry.objects.exists()
    reader = UserFactory.create(role=Role.OWNER)
    client.force_login(reader)
    html = html_of(client, url)
    assert "&lt;script&gt;a secret&lt;/script&gt;" in html and "<script>a secret" not in html
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.subject, entry.details) == (
        "read", reader, person.pk, {"outbound": reply.pk},
    )  # fmt: skip
    html_of(client, LISTS["outboundmessage"])
    OutboundMessage.objects.update(text="")
    html_of(client, url)
    OutboundMessage.objects.update(text="of a document", filename="export.txt")
    assert "of a document" not in html_of(client, url)
    assert AuditEntry.objects.count() == 1, "nothing was there to be read"

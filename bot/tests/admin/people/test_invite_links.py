"""What is shared of an invite: links of bots that have such, and a text for all others."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.channels.registry import CHANNELS
from bot.models import Bot
from bot.tests.admin.people.inviting import code_on, errors, form, page_of
from bot.tests.support.factories import BotFactory, WhatsAppBotFactory
from users.invites import create_invite
from users.models import Invite, User
from users.roles import Role
from users.tests.factories import UserFactory, alice

pytestmark = pytest.mark.django_db

ADD = reverse("admin:users_invite_add")


@pytest.fixture
def admin(client: Client) -> User:
    staff = UserFactory.create(name="Bob", role=Role.ADMIN)
    client.force_login(staff)
    return staff


def test_a_link_is_made_of_the_bots_number_or_not_at_all() -> None:
    whatsapp = CHANNELS["whatsapp"]
    assert whatsapp.invite_link("+4930123456", "ABC") == "https://wa.me/4930123456?text=%2Fjoin%20ABC"
    assert whatsapp.invite_link("+49 (30) 123-456", "ABC") == "https://wa.me/4930123456?text=%2Fjoin%20ABC"
    assert whatsapp.invite_link("", "ABC") is whatsapp.invite_link("javascript:1", "ABC") is None
    assert CHANNELS["console"].invite_link("+4930123456", "ABC") is None


@pytest.mark.parametrize(
    ("entered", "stored"), [("+49 30 / 123-456", "+4930123456"), ("4930123456", "+4930123456"), ("", "")]
)
def test_the_contact_of_a_whatsapp_bot_is_its_number(client: Client, entered: str, stored: str) -> None:
    assert _save_contact(client, entered) == {}
    assert Bot.objects.get().contact == stored


@pytest.mark.parametrize("entered", ["our shop", "@shop", "123", "+49 30 123456 ext 7"])
def test_a_contact_that_is_no_number_is_refused(client: Client, entered: str) -> None:
    assert "phone number" in str(_save_contact(client, entered)["contact"])
    assert Bot.objects.get().contact == ""


def _save_contact(client: Client, contact: str) -> dict[str, list[str]]:
    client.force_login(alice())
    bot = WhatsAppBotFactory.create(slug="shop")
    url = reverse("admin:bot_bot_change", args=(bot.pk,))
    data = {"name": "Shop", "slug": "shop", "is_active": "on", "account_id": "1", "burst_wait_seconds": "0"}
    response = client.post(url, {**data, "contact": contact})
    return {} if response.status_code == 302 else errors(response)


def test_who_has_no_bot_with_links_is_told_what_to_send_and_how_to_get_one(client: Client, admin: User) -> None:
    BotFactory.create()
    response = client.post(ADD, form())
    page = response.content.decode()
    assert f"<code>/join {code_on(response)}</code>" in page and "No active bot has links." in page
    assert "<svg viewBox" not in page


def test_an_ended_invite_shows_nothing_to_share_and_says_so(client: Client, admin: User) -> None:
    WhatsAppBotFactory.create(contact="+4930123456")
    invite = create_invite()
    Invite.objects.revoke(timezone.now())
    page = client.get(page_of(invite)).content.decode()
    assert "lets nobody in any more" in page
    assert "wa.me" not in page and "<svg viewBox" not in page and "/join" not in page and "New code" not in page

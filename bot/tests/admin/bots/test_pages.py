"""The pages of the bots: adding one for each channel, how each stands, and deleting one."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bot.channels.registry import CHANNELS
from bot.models import Bot
from bot.tests.admin.bots.entering import change
from bot.tests.support.factories import BotFactory, WhatsAppBotFactory
from users.models import User
from users.roles import Role
from users.tests.factories import alice, bob

pytestmark = pytest.mark.django_db

ADD = reverse("admin:bot_bot_add")
LIST = reverse("admin:bot_bot_changelist")
SECRETS = {"credential_access_token": "EAA-canary-token", "credential_app_secret": "canary-app-secret"}
WHATSAPP = {
    "name": "Bike shop", "slug": "bike-shop", "channel": "whatsapp", "account_id": "106540352242922",
    "credential_verify_token": "canary-verify-token", "system_prompt": "You help customers of a bike shop.", **SECRETS,
}  # fmt: skip


@pytest.fixture
def owner(client: Client) -> User:
    user = alice()
    client.force_login(user)
    return user


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(bob(role=Role.ADMIN))
    return client


def fields_of(page: str) -> set[str]:
    """Return the names of the fields of a page's form that are filled in by a person."""
    names = set(re.findall(r'<(?:input|select|textarea)[^>]*?\sname="([a-z_]+)"', page))
    return {
        name
        for name in names
        if not name.startswith("_") and name not in {"csrfmiddlewaretoken", "next", "language", "s"}
    }


# --- adding ---


def test_the_channel_is_asked_first(client: Client, owner: User) -> None:
    page = client.get(ADD).content.decode()
    for channel in CHANNELS.values():
        assert f'href="?channel={channel.slug}"' in page
        assert str(channel.label) in page
        assert channel.about, "it says what it is"
    assert 'name="slug"' not in page


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_a_new_bot_is_asked_for_exactly_what_its_channel_needs(client: Client, owner: User, channel: Any) -> None:
    page = client.get(ADD, {"channel": channel.slug}).content.decode()
    account = {f"credential_{one.name}" for one in channel.credentials}
    assert fields_of(page) == {"name", "slug", "channel", "system_prompt", *account} | (
        {"account_id", "contact"} if account else set()
    )
    for credential in channel.credentials:
        assert credential.help, "it says where the value is found"
    assert not channel.credentials or (channel.account_label and channel.account_help and channel.setup_steps)


def test_a_verify_token_is_suggested_another_one_each_time(client: Client, owner: User) -> None:
    found = [
        re.findall(
            r'name="credential_verify_token" value="([\w-]{20,})"',
            client.get(f"{ADD}?channel=whatsapp").content.decode(),
        )
        for _ in range(2)
    ]
    assert len(found[0]) == len(found[1]) == 1
    assert found[0] != found[1]


def test_a_whatsapp_bot_is_made_in_one_go_and_told_what_comes_next(client: Client, owner: User) -> None:
    response = client.post(f"{ADD}?channel=whatsapp", WHATSAPP)
    bot, page = Bot.objects.get(), response.content.decode()
    assert bot.credentials == {
        "access_token": "EAA-canary-token", "app_secret": "canary-app-secret", "verify_token": "canary-verify-token",
    }  # fmt: skip
    assert (bot.account_id, bot.system_prompt, bot.is_active) == ("106540352242922", WHATSAPP["system_prompt"], True)
    assert "/webhooks/whatsapp/bike-shop/" in page
    assert 'data-copy="canary-verify-token"' in page
    assert reverse("admin:bot_bot_test", args=(bot.pk,)) in page
    assert "no-store" in response["Cache-Control"]
    assert not any(secret in page for secret in SECRETS.values())
    # From now on nobody is shown it.
    for url in (change(bot), LIST):
        shown = client.get(url).content.decode()
        assert "canary" not in shown


def test_a_console_bot_goes_on_to_its_page(client: Client, owner: User) -> None:
    response = client.post(ADD, {"name": "Try", "slug": "try", "channel": "console", "system_prompt": "Be kind."})
    assert response["Location"] == change(Bot.objects.get())


@pytest.mark.parametrize("channel", ["", "pigeon"])
def test_an_unknown_channel_makes_no_bot(client: Client, owner: User, channel: str) -> None:
    assert 'name="slug"' not in client.get(ADD, {"channel": channel}).content.decode()
    assert client.post(ADD, {"name": "Try", "slug": "try", "channel": channel}).status_code == 200
    assert not Bot.objects.exists()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, ["active"]),
        ({"is_active": False}, ["off", "its webhook URL does not exist"]),
        (
            {"paused_at": "2026-01-01T00:00Z", "pause_reason": "Stocktaking"},
            ["paused", "Stocktaking", "are taken in and wait"],
        ),
        (
            {"paused_at": "2026-01-01T00:00Z", "pause_reason": "CHANNEL_ERROR:190"},
            ["paused", "the provider refuses it: the access token is refused, 190 (CHANNEL_ERROR:190)"],
        ),
        ({"credentials": {}}, ["not connected", "missing: Access token, App secret, Verify token"]),
    ],
)  # fmt: skip
def test_the_page_says_how_the_bot_stands(client: Client, owner: User, fields: dict[str, Any], says: list[str]) -> None:
    page = client.get(change(WhatsAppBotFactory.create(**fields))).content.decode()
    for words in says:
        assert words in page


# --- who may ---


def test_an_admin_reads_and_neither_adds_nor_deletes_nor_tries(admin: Client) -> None:
    bot = BotFactory.create()
    page = admin.get(change(bot)).content.decode()
    assert "Try this prompt" not in page and "Test connection" not in page and "_save" not in page
    assert admin.get(ADD).status_code == admin.get(f"{ADD}?channel=whatsapp").status_code == 403
    for name in ("delete", "try", "use", "test"):
        assert admin.post(reverse(f"admin:bot_bot_{name}", args=(bot.pk,)), {"post": "yes"}).status_code == 403
    assert Bot.objects.count() == 1


@pytest.mark.parametrize("name", ["try", "use", "delete"])
def test_what_changes_something_needs_a_post_with_its_token(name: str) -> None:
    bot = BotFactory.create()
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice())
    url = reverse(f"admin:bot_bot_{name}", args=(bot.pk,))
    assert client.post(url, {"post": "yes", "system_prompt": "x"}).status_code == 403
    assert name == "delete" or client.get(url).status_code == 405
    assert Bot.objects.count() == 1

"""Credentials are encrypted at rest and written, never shown."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from bot.models import Bot
from bot.tests.support.factories import BotFactory, WhatsAppBotFactory, signature
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.django_db]

SECRET = "EAA-canary-secret"


@pytest.fixture
def owner(client: Client) -> User:
    user = User.objects.create_superuser("+4915112345678", "a good password")
    client.force_login(user)
    return user


def column(bot: Bot) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM bot_bot WHERE id = %s", [bot.pk])
        return str(cursor.fetchone()[0])


def test_the_database_holds_no_secret_in_clear() -> None:
    bot = WhatsAppBotFactory.create(credentials={"access_token": SECRET})

    assert SECRET not in column(bot)
    assert Bot.objects.get(pk=bot.pk).credentials == {"access_token": SECRET}


def test_credentials_survive_a_new_secret_key_when_the_former_one_is_a_fallback(settings: Any) -> None:
    bot = WhatsAppBotFactory.create(credentials={"access_token": SECRET})
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key"

    assert Bot.objects.get(pk=bot.pk).credentials == {"access_token": SECRET}


def test_with_a_key_that_does_not_fit_the_bot_refuses_everything_and_nothing_is_lost(
    settings: Any, client: Client, owner: User, caplog: pytest.LogCaptureFixture
) -> None:
    bot = WhatsAppBotFactory.create(credentials={"access_token": SECRET, "app_secret": ""})
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another key"
    client.force_login(owner)

    signed = {"X-Hub-Signature-256": signature(b"{}", "")}
    url = reverse("webhook", args=("whatsapp", bot.slug))
    assert client.post(url, b"{}", content_type="application/json", headers=signed).status_code == 403
    assert "credentials_unreadable" in caplog.text
    page = client.get(reverse("admin:bot_bot_change", args=(bot.pk,)))
    assert "SECRET_KEY_FALLBACKS" in page.content.decode()
    changed = Bot.objects.get(pk=bot.pk)
    changed.name = "Renamed"
    changed.save()

    settings.SECRET_KEY_FALLBACKS = [former]
    assert Bot.objects.get(pk=bot.pk).credentials["access_token"] == SECRET


def test_a_bot_without_credentials_needs_no_key(settings: Any) -> None:
    bot = BotFactory.create()
    settings.SECRET_KEY = "another key"
    assert column(bot) == ""
    assert type(Bot.objects.get(pk=bot.pk).credentials) is dict


def test_a_dump_holds_no_secret_and_can_be_loaded(tmp_path: Any) -> None:
    bot = WhatsAppBotFactory.create(credentials={"access_token": SECRET})
    out = StringIO()
    call_command("dumpdata", "bot.bot", stdout=out)
    assert SECRET not in out.getvalue()

    bot.delete()
    fixture = tmp_path / "bots.json"
    fixture.write_text(out.getvalue())
    call_command("loaddata", str(fixture), verbosity=0)
    assert Bot.objects.get().credentials == {"access_token": SECRET}


def test_the_admin_shows_no_secret_and_keeps_what_was_left_empty(client: Client, owner: User) -> None:
    bot = WhatsAppBotFactory.create(credentials={"access_token": SECRET, "app_secret": "old"})
    url = reverse("admin:bot_bot_change", args=(bot.pk,))

    page = client.get(url).content.decode()
    assert SECRET not in page
    assert f"/webhooks/whatsapp/{bot.slug}/" in page
    assert "Phone number ID" in page

    fields = {
        "name": "Shop", "slug": bot.slug, "is_active": "on", "account_id": "123", "system_prompt": "", "model": "",
        "burst_wait_seconds": "0", "credential_access_token": "", "credential_app_secret": " new ",
    }  # fmt: skip
    answer = client.post(url, fields)

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    bot.refresh_from_db()
    assert bot.credentials == {"access_token": SECRET, "app_secret": "new"}
    assert (bot.name, bot.account_id, bot.channel) == ("Shop", "123", "whatsapp")


def test_a_new_bot_goes_on_to_the_page_for_its_secrets(client: Client, owner: User) -> None:
    answer = client.post(
        reverse("admin:bot_bot_add"), {"name": "Shop", "slug": "shop", "channel": "whatsapp", "is_active": "on"}
    )

    bot = Bot.objects.get()
    assert answer["Location"] == reverse("admin:bot_bot_change", args=(bot.pk,))
    assert "credential_verify_token" in client.get(answer["Location"]).content.decode()


def test_a_duplicate_slug_is_a_clear_error(client: Client, owner: User) -> None:
    BotFactory.create(slug="shop")
    answer = client.post(reverse("admin:bot_bot_add"), {"name": "Shop", "slug": "shop", "channel": "console"})
    assert "Bot with this Slug already exists." in answer.content.decode()


@pytest.mark.parametrize("model", ["bot", "inboundmessage", "outboundmessage", "lease", "accessrequest"])
def test_every_list_can_be_opened(client: Client, owner: User, model: str) -> None:
    BotFactory.create()
    assert client.get(reverse(f"admin:bot_{model}_changelist")).status_code == 200


@pytest.mark.parametrize("model", ["inboundmessage", "outboundmessage", "lease", "accessrequest"])
def test_what_the_system_writes_cannot_be_added_or_changed_by_hand(client: Client, owner: User, model: str) -> None:
    assert client.get(reverse(f"admin:bot_{model}_add")).status_code == 403

"""A prompt that is not saved is tried from a bot's page, and given to people if it is good."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bot.models import Bot
from bot.tests.simulator.trying import do
from bot.tests.support.factories import BotFactory, WhatsAppBotFactory
from users.models import User
from users.tests.factories import alice as an_owner

pytestmark = [pytest.mark.database, pytest.mark.django_db]

FORM = {"system_prompt": "Answer like a pirate.", "model": "gpt-6-sol", "allowed_models": "a\nb", "language": "de"}


@pytest.fixture
def owner(client: Client) -> User:
    user = an_owner()
    client.force_login(user)
    return user


def values(bot: Bot) -> dict[str, Any]:
    return dict(Bot.objects.filter(pk=bot.pk).values()[0])


def test_trying_opens_the_simulator_with_the_draft_and_leaves_the_bot_as_it_is(client: Client, owner: User) -> None:
    bot = WhatsAppBotFactory.create(
        slug="shop", name="Shop", system_prompt="Be kind.", daily_budget_micros=5, rate_limit_per_minute=3
    )
    before = values(bot)
    response = do(client, "try", bot, name="Not saved", **FORM)
    assert response["Location"] == "/?bot=shop-preview"
    assert values(bot) == before
    preview = Bot.objects.get(preview_of=bot)
    assert {name: getattr(preview, name) for name in FORM} == FORM
    assert (preview.channel, preview.daily_budget_micros, preview.rate_limit_per_minute) == ("console", 5, 3)
    assert not preview.credentials, "it needs no secret"

    page = client.get(response["Location"]).content.decode()
    assert 'value="shop-preview" selected' in page
    assert "A preview of <strong>Shop</strong>" in page
    assert "Answer like a pirate." in page
    assert f'action="{reverse("admin:bot_bot_use", args=(bot.pk,))}"' in page
    assert f'href="{reverse("admin:bot_bot_change", args=(bot.pk,))}?preview=1"' in page


def test_a_draft_that_could_not_be_saved_is_not_tried(client: Client, owner: User) -> None:
    bot = BotFactory.create()
    response = do(client, "try", bot, **{**FORM, "model": "x" * 101})
    page = client.get(response["Location"]).content.decode()
    assert "at most 100 characters" in page
    assert not Bot.objects.exclude(preview_of=None).exists()


def test_a_prompt_that_is_good_is_given_to_people(client: Client, owner: User) -> None:
    bot = WhatsAppBotFactory.create(system_prompt="Be kind.", paused_at="2026-01-01T00:00Z", pause_reason="Stocktaking")
    credentials, version = bot.credentials, bot.updated_at
    do(client, "try", bot, **FORM)
    response = do(client, "use", bot)
    assert response["Location"] == reverse("admin:bot_bot_change", args=(bot.pk,))
    bot.refresh_from_db()
    assert {name: getattr(bot, name) for name in FORM} == FORM
    assert (bot.credentials, bot.pause_reason) == (credentials, "Stocktaking")
    assert bot.updated_at > version, "workers see that it has changed"
    history = client.get(reverse("admin:bot_bot_history", args=(bot.pk,))).content.decode()
    assert "System prompt" in history


def test_a_preview_that_is_gone_changes_nothing(client: Client, owner: User) -> None:
    bot = BotFactory.create(system_prompt="Be kind.")
    page = client.get(do(client, "use", bot)["Location"]).content.decode()
    assert "This preview is gone" in page
    assert "Be kind." in page


def test_editing_goes_on_with_what_was_tried(client: Client, owner: User) -> None:
    bot = BotFactory.create(system_prompt="Be kind.")
    do(client, "try", bot, **FORM)
    url = reverse("admin:bot_bot_change", args=(bot.pk,))
    page = client.get(url, {"preview": "1"}).content.decode()
    assert "Answer like a pirate." in page and "Be kind." not in page
    assert "It is not saved" in page
    page = client.get(url).content.decode()
    assert "Be kind." in page and "Answer like a pirate." not in page

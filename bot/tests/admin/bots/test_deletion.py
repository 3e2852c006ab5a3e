"""A bot is deleted with what is told in numbers before, one at a time, and never while messages wait."""

import pytest
from django.test import Client
from django.urls import reverse

from bot.admin.bots import deletion
from bot.models import Bot, InboundMessage, OutboundMessage
from bot.tests.support.factories import BotFactory, InboundFactory
from users.models import User
from users.tests.factories import alice

pytestmark = pytest.mark.django_db

LIST = reverse("admin:bot_bot_changelist")


@pytest.fixture
def owner(client: Client) -> User:
    user = alice()
    client.force_login(user)
    return user


def delete(client: Client, bot: Bot, **data: str) -> str:
    return client.post(reverse("admin:bot_bot_delete", args=(bot.pk,)), data, follow=True).content.decode()


def test_a_deletion_says_in_numbers_what_goes_and_takes_nothing_else(client: Client, owner: User) -> None:
    bot, other = BotFactory.create(), BotFactory.create()
    for one in (bot, other):
        InboundFactory.create_batch(3, bot=one, state="done")
        OutboundMessage.objects.create(bot=one, address="+4915112345678", turn_key=one.pk, part=1, text="Hello")
    page = client.get(reverse("admin:bot_bot_delete", args=(bot.pk,))).content.decode()
    assert "3 messages of the last days" in page
    delete(client, bot, post="yes")
    assert [*Bot.objects.all()] == [other]
    assert set(InboundMessage.objects.values_list("bot", flat=True)) == {other.pk}
    assert set(OutboundMessage.objects.values_list("bot", flat=True)) == {other.pk}


def test_a_bot_for_which_messages_wait_is_not_deleted(client: Client, owner: User) -> None:
    bot = InboundFactory.create().bot
    assert "1 message waits for an answer" in delete(client, bot, post="yes")
    assert Bot.objects.exists()


def test_a_bot_with_very_many_messages_is_left_to_the_purge(
    client: Client, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "MOST_DELETED", 2)
    bot = BotFactory.create()
    InboundFactory.create_batch(3, bot=bot, state="done")
    assert "more than 2 messages" in delete(client, bot, post="yes")
    assert Bot.objects.exists()


def test_bots_are_not_deleted_several_at_once(client: Client, owner: User) -> None:
    bot = BotFactory.create()
    client.post(LIST, {"action": "delete_selected", "_selected_action": [bot.pk], "post": "yes"})
    assert Bot.objects.exists()

"""A prompt is tried in the simulator before people get it, and nothing that people get changes by that."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.models import Bot, InboundMessage, Lease
from bot.queue import accept, snapshot
from bot.queue.notices import notify_owners
from bot.queue.snapshot import ActiveBot
from bot.simulator import queries
from bot.simulator.previews import seconds_until_known
from bot.tests.simulator.trying import do
from bot.tests.support.factories import ALICE, BotFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from conversations.models import Conversation, Message
from users.models import User
from users.tests.factories import alice as an_owner

pytestmark = [pytest.mark.database, pytest.mark.django_db]

FORM = {"system_prompt": "Answer like a pirate.", "model": "gpt-6-sol", "allowed_models": "a\nb", "language": "de"}


@pytest.fixture
def owner(client: Client) -> User:
    user = an_owner()
    client.force_login(user)
    return user


def test_a_preview_is_met_nowhere_else(client: Client, owner: User, settings: Any) -> None:
    bot = BotFactory.create(slug="shop")
    do(client, "try", bot, **FORM)
    assert "shop-preview" not in client.get("/").content.decode()
    assert "shop-preview" not in client.get(reverse("admin:bot_bot_changelist")).content.decode()
    preview = Bot.objects.get(preview_of=bot)
    assert client.get(reverse("admin:bot_bot_change", args=(preview.pk,))).status_code == 302
    assert [one.slug for one in queries.bots()] == ["shop"]
    assert do(client, "try", preview, **FORM).status_code == 404
    # Nor do owners get notices there, though they wrote there last.
    number = str(owner.phone_number)
    InboundMessage.objects.create(bot=preview, address=number, kind="text", external_id="1", state="done")
    Lease.objects.create(bot=preview, address=number, expires_at=timezone.now())
    assert notify_owners("occasion", "Hello") == 0


def test_another_try_replaces_the_draft_and_forgets_what_was_said(client: Client, owner: User) -> None:
    bot = BotFactory.create(slug="shop")
    do(client, "try", bot, **FORM)
    for slug in ("shop", "shop-preview"):
        conversation = Conversation.objects.find_or_create(owner, slug)
        Conversation.objects.add_message(conversation, "user", f"To {slug}")
    do(client, "try", bot, **{**FORM, "system_prompt": "Answer like a poet."})
    assert Bot.objects.get(preview_of=bot).system_prompt == "Answer like a poet."
    assert [*Message.objects.values_list("content", flat=True)] == ["To shop"]


def test_a_slug_that_is_taken_or_long_is_no_obstacle(client: Client, owner: User) -> None:
    bot, long = BotFactory.create(slug="shop"), BotFactory.create(slug="x" * 50)
    taken = BotFactory.create(slug="shop-preview", name="Somebody's")
    for one in (bot, long):
        assert do(client, "try", one, **FORM).status_code == 302
    taken.refresh_from_db()
    assert (taken.name, taken.preview_of) == ("Somebody's", None)
    assert len({bot.preview.slug, long.preview.slug, "shop-preview"}) == 3
    assert len(long.preview.slug) == 50


def test_messages_wait_until_every_worker_knows_the_new_draft(client: Client, owner: User) -> None:
    bot = BotFactory.create(slug="shop")
    do(client, "try", bot, **FORM)
    assert 4 <= seconds_until_known("shop-preview") <= 5
    assert seconds_until_known("shop") == 0
    body = {"person": owner.phone_number, "text": "Hello"}
    now = timezone.now()
    for slug in ("shop", "shop-preview"):
        answer = client.post("/simulator/send/", json.dumps({**body, "bot": slug}), content_type="application/json")
        assert answer.status_code == 201, answer.content
    at_once, later = (row.available_at - now for row in InboundMessage.objects.order_by("pk"))
    assert at_once < timedelta(seconds=2)
    assert timedelta(seconds=3) < later < timedelta(seconds=8)
    Bot.objects.update(updated_at=now - timedelta(minutes=1))
    assert seconds_until_known("shop-preview") == 0


def test_a_preview_goes_with_its_bot(client: Client, owner: User) -> None:
    bot = BotFactory.create()
    do(client, "try", bot, **FORM)
    bot.delete()
    assert not Bot.objects.exists()


def test_staff_who_may_not_change_bots_see_that_it_is_a_preview_and_no_buttons(client: Client, owner: User) -> None:
    do(client, "try", BotFactory.create(slug="shop"), **FORM)
    User.objects.update_role(User.objects.create_user("+12025550111"), "owner")
    User.objects.update_role(owner, "admin")
    page = client.get("/?bot=shop-preview").content.decode()
    assert "A preview of" in page
    assert "Use this prompt" not in page


def test_the_terminal_does_not_choose_a_preview_by_itself(client: Client, owner: User) -> None:
    bot = BotFactory.create(slug="shop")
    do(client, "try", bot, **FORM)
    Bot.objects.filter(pk=bot.pk).update(is_active=False)
    snapshot.forget()
    with pytest.raises(Exception, match="no active console bot"):
        call_command("chat", message=["Hello"])


@pytest.mark.usefixtures("turns_db")
def test_the_model_is_told_the_draft_in_the_preview_and_the_saved_prompt_elsewhere(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, client: Client
) -> None:
    client.force_login(an_owner())
    do(client, "try", Bot.objects.get(), **{**FORM, "model": "", "allowed_models": ""})
    preview = snapshot.find_bot("console", "shop-preview")
    assert preview is not None
    accept.accept(bot, [event("m1", address=ALICE, text="To the bot")])
    accept.accept(preview, [event("m2", address=ALICE, text="To the preview")])
    work_until(model=model)
    told = {request.messages[-1].content: request.messages[0].content for request in model.history}
    assert told["To the bot"].startswith("Be kind.")
    assert told["To the preview"].startswith("Answer like a pirate.")
    assert {(one.conversation.bot, one.content) for one in Message.objects.filter(role="user")} == {
        ("shop", "To the bot"),
        ("shop-preview", "To the preview"),
    }

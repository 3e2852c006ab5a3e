"""Staff pause bots in the admin and let them go on: asked first, with a reason, by who may."""

import logging

import pytest
from django.test import Client
from django.urls import reverse

from bot.models import Bot
from bot.monitoring.metrics.gauges import read_gauges
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import (
    BOB,
    BotFactory,
    WhatsAppBotFactory,
    event,
    whitelisted,
)
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, states, work_until
from users.models import User
from users.roles import Role

pytestmark = [
    pytest.mark.database,
    pytest.mark.usefixtures("turns_db"),
]


@pytest.fixture
def staff(client: Client, alice: User) -> Client:
    client.force_login(User.objects.create_superuser("+4915112345600", "a good password"))
    return client


def pause(client: Client, *bots: int, **data: str) -> str:
    data = {"action": "pause", "_selected_action": [str(bot) for bot in bots], **data}  # type: ignore[dict-item]
    return client.post(reverse("admin:bot_bot_changelist"), data, follow=True).content.decode()


@pytest.fixture
def colleague(alice: User) -> Client:
    client = Client()
    client.force_login(whitelisted(BOB, role=Role.ADMIN))
    return client


def test_pausing_asks_first_and_for_a_reason(staff: Client) -> None:
    bot, other = WhatsAppBotFactory.create(name="Shop"), BotFactory.create(name="Other", paused_at="2026-01-01T00:00Z")
    page = pause(staff, bot.pk, other.pk)
    assert 'name="reason"' in page and f"Shop ({bot.slug})" in page
    assert f"({other.slug})" not in page and "Other is paused already" in page
    assert "they wait, and are answered in order when it is resumed" in page
    assert "for 24 hours only" in page
    assert not Bot.objects.get(pk=bot.pk).paused_at

    page = pause(staff, bot.pk, other.pk, confirmed="1", reason="  Stock\n taking ")
    assert "1 bot paused" in page
    bot.refresh_from_db()
    assert bot.paused_at and bot.pause_reason == "Stock taking" and not bot.was_refused
    history = staff.get(reverse("admin:bot_bot_history", args=(bot.pk,))).content.decode()
    assert "Paused: Stock taking" in history


def test_who_may_let_bots_go_on_may_pause_them(colleague: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bot = BotFactory.create()
    page = colleague.get(reverse("admin:bot_bot_change", args=(bot.pk,))).content.decode()
    assert 'value="pause"' in page
    pause(colleague, bot.pk, confirmed="1", reason="x" * 200)
    bot.refresh_from_db()
    assert bot.paused_at and bot.pause_reason == "x" * 100
    page = colleague.get(reverse("admin:bot_bot_change", args=(bot.pk,))).content.decode()
    assert 'value="resume"' in page and 'value="pause"' not in page
    colleague.post(reverse("admin:bot_bot_changelist"), {"action": "resume", "_selected_action": [bot.pk]})
    bot.refresh_from_db()
    assert not bot.paused_at
    events = [record.message for record in caplog.records if record.message in ("bot_paused_by_hand", "bot_resumed")]
    assert events == ["bot_paused_by_hand", "bot_resumed"]


def test_a_person_who_only_chats_pauses_nothing(alice: User, client: Client) -> None:
    bot = BotFactory.create()
    client.force_login(alice)
    pause(client, bot.pk, confirmed="1")
    assert not Bot.objects.get().paused_at


def test_messages_to_a_bot_that_staff_have_paused_wait_and_are_answered_when_it_is_resumed(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, staff: Client
) -> None:
    pause(staff, bot.id, confirmed="1")
    accept.accept(bot, [event("m1"), event("m2", text="more")])
    looks = iter(range(20))
    work_until(lambda: next(looks) > 10, model=model)
    assert (channel.sent, model.history) == ([], [])
    assert states() == [("pending", "")] * 2

    staff.post(reverse("admin:bot_bot_changelist"), {"action": "resume", "_selected_action": [bot.id]})
    work_until(model=model)
    assert channel.texts == ["Echo: Hello\nmore"]
    assert states() == [("done", "")] * 2


def test_a_new_token_does_not_resume_what_staff_have_paused(staff: Client) -> None:
    bot = WhatsAppBotFactory.create(paused_at="2026-01-01T00:00Z", pause_reason="Stocktaking")
    form = {
        "name": bot.name, "slug": bot.slug, "channel": bot.channel, "is_active": "on", "account_id": "42",
        "system_prompt": "", "burst_wait_seconds": "0", "credential_access_token": "EAAnew",
    }  # fmt: skip
    assert staff.post(reverse("admin:bot_bot_change", args=(bot.pk,)), form).status_code == 302
    bot.refresh_from_db()
    assert (bot.account_id, bot.pause_reason) == ("42", "Stocktaking")
    assert bot.paused_at


def test_only_a_refused_token_is_counted_for_the_alert(turns_db: None) -> None:
    for reason in ("Stocktaking", "", "CHANNEL_ERROR:190"):
        BotFactory.create(paused_at="2026-01-01T00:00Z", pause_reason=reason)
    assert read_gauges()["bots_paused"] == 1

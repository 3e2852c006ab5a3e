"""A bot whose token or account is refused pauses, says so once, and loses nothing."""

import logging
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from bot.channels.events import StatusEvent
from bot.channels.sending import SendError
from bot.channels.whatsapp import WhatsAppChannel
from bot.models import Bot, InboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.reasons import cause_of
from bot.tests.queue.paused import is_paused, the_lease_is_free
from bot.tests.support.factories import (
    ALICE,
    BOB,
    BotFactory,
    WhatsAppBotFactory,
    event,
    signature,
    whatsapp_body,
    whatsapp_message,
    whatsapp_value,
    whitelisted,
)
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, states, statuses, work_until
from users.models import User
from users.roles import Role

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db"), pytest.mark.promise("pause")]

TOKEN_REFUSED = SendError("190", credentials_refused=True)


@pytest.fixture
def paused(alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel) -> ActiveBot:
    channel.enqueue(TOKEN_REFUSED)
    accept.accept(bot, [event("m1")])
    work_until(is_paused, model=model)
    return bot


@pytest.fixture
def staff(client: Client, alice: User) -> Client:
    client.force_login(User.objects.create_superuser("+4915112345600", "a good password"))
    return client


def test_its_messages_wait_and_nothing_more_is_sent(
    paused: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    the_lease_is_free()
    accept.accept(paused, [event("m2", text="more")])
    whitelisted(BOB)
    accept.accept(paused, [event("m3", address=BOB)])
    other = iter(range(20))
    work_until(lambda: next(other) > 10, model=model)

    assert len(channel.sent) == 1
    assert len(model.history) == 1
    assert [state for state, _ in states()] == ["pending"] * 3
    assert statuses() == ["queued"]
    assert InboundMessage.objects.earliest("id").attempts == 0, "it was no fault of the message"
    assert Bot.objects.get().pause_reason == "CHANNEL_ERROR:190"


def test_a_resumed_bot_sends_what_was_paid_for_and_answers_what_came_meanwhile(
    paused: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, staff: Client
) -> None:
    accept.accept(paused, [event("m2", text="more")])
    the_lease_is_free()
    data = {"action": "resume", "_selected_action": [str(paused.id)]}
    page = staff.post(reverse("admin:bot_bot_changelist"), data, follow=True)
    assert "1 bot resumed" in page.content.decode()
    work_until(model=model)

    assert channel.texts == ["Echo: Hello", "Echo: Hello", "Echo: more"]
    assert len(model.history) == 2
    assert states() == [("done", "")] * 2


def test_the_operator_is_alerted_once_however_many_turns_fail(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    channel.enqueue(*[TOKEN_REFUSED] * 5)
    for number in range(5):
        whitelisted(f"+49151000000{number:02}")
        accept.accept(bot, [event(f"m{number}", address=f"+49151000000{number:02}")])
    work_until(lambda: is_paused() and len(channel.sent) == 5, model=model)

    (alert,) = (record for record in caplog.records if record.message == "bot_paused")
    assert (alert.levelname, alert.bot, alert.error_code) == ("ERROR", "shop", "CHANNEL_ERROR:190")  # type: ignore[attr-defined]


@pytest.mark.parametrize("code", ["131031", "131042", "133010", "368", "131005", "10", "200", "100"])
def test_an_account_that_is_refused_pauses_its_bot_and_nothing_is_paid_for_what_comes_meanwhile(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, staff: Client, code: str
) -> None:
    channel.enqueue(SendError(code, account_refused=True))
    accept.accept(bot, [event("m1")])
    work_until(is_paused, model=model)
    accept.accept(bot, [event("m2", text="more")])
    the_lease_is_free()
    looks = iter(range(20))
    work_until(lambda: next(looks) > 10, model=model)
    assert (len(model.history), len(channel.sent)) == (1, 1)
    assert [state for state, _ in states()] == ["pending"] * 2
    assert Bot.objects.get().pause_reason == f"CHANNEL_ERROR:{code}"
    words = f"because {cause_of(code, 'console')}: what people write to it waits."
    assert words in unescape(staff.get(reverse("admin:index")).content.decode())

    staff.post(reverse("admin:bot_bot_changelist"), {"action": "resume", "_selected_action": [str(bot.id)]})
    the_lease_is_free()
    work_until(model=model)
    assert channel.texts == ["Echo: Hello", "Echo: Hello", "Echo: more"]
    assert states() == [("done", "")] * 2


@pytest.mark.parametrize(("code", "pauses"), [("131042", True), ("131031", True), ("131026", False), ("", False)])
def test_an_account_whose_refusal_comes_as_a_status_pauses_its_bot_and_nothing_is_paid_for_what_comes_meanwhile(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture, code: str, pauses: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(ScriptedChannel, "is_of_account", WhatsAppChannel.is_of_account)
    accept.accept(bot, [event("m1")])
    work_until(model=model)
    failed = StatusEvent(f"scripted-{channel.sent[0].id}", "failed", error_code=code, account_id=bot.account.account_id)
    accept.accept(bot, [failed, failed])
    accept.accept(bot, [failed])
    assert is_paused() is pauses
    assert [record.message for record in caplog.records].count("bot_paused") == pauses
    if pauses:
        assert Bot.objects.get().pause_reason == f"CHANNEL_ERROR:{code}"
        accept.accept(bot, [event("m2", text="more")])
        looks = iter(range(10))
        work_until(lambda: next(looks) > 5, model=model)
        assert len(model.history) == 1


def test_owners_are_told_once_why_an_account_is_refused(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    whitelisted(BOB, role=Role.OWNER)
    second = BotFactory.active(slug="second")
    accept.accept(second, [event("from-bob", address=BOB)])
    work_until(model=model)
    channel.sent.clear()
    channel.enqueue(*[SendError("131042", account_refused=True)] * 2)
    for number in range(2):
        whitelisted(f"+49151000000{number:02}")
        accept.accept(bot, [event(f"m{number}", address=f"+49151000000{number:02}")])
    work_until(lambda: any(one.address == BOB for one in channel.sent) and len(channel.sent) == 3, model=model)

    (said,) = (one.text for one in channel.sent if one.address == BOB)
    assert said.startswith("The bot shop has paused: its provider takes nothing from its account, because there is a ")
    assert "payment, 131042" in said and "token" not in said


def test_webhooks_of_a_paused_bot_are_taken(client: Client) -> None:
    bot = WhatsAppBotFactory.create(paused_at="2026-01-01T00:00Z")
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message("Hello", ALICE)]))
    url = reverse("webhook", args=("whatsapp", bot.slug))
    headers = {"X-Hub-Signature-256": signature(body)}

    assert client.post(url, body, content_type="application/json", headers=headers).status_code == 200
    assert states() == [("pending", "")]

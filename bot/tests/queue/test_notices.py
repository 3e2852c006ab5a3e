"""Owners are told by the bots themselves, once, in the chat they used last, and only where the channel lets us."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from bot.channels.sending import SendError
from bot.models import Bot, InboundMessage, OutboundMessage
from bot.operations.schedules import every_minute
from bot.queue import accept
from bot.queue.notices import notify_owners
from bot.queue.snapshot import ActiveBot, forget
from bot.tests.queue.noticing import write
from bot.tests.support.factories import BOB, BotFactory, WhatsAppBotFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, states, work_until
from usage.models import DailySpend
from users.models import Identity, Role, User

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db"), pytest.mark.promise("notices")]

OLIVIA = "+4915111111111"


@pytest.fixture
def olivia(turns_db: None) -> User:
    return User.objects.create_superuser(OLIVIA, name="Olivia", is_whitelisted=True)


def sent_to(channel: ScriptedChannel, address: str) -> list[str]:
    return [message.text for message in channel.sent if message.address == address]


def test_an_owner_who_has_written_is_told_and_others_are_not(
    olivia: User, alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    write(bot, "m1", OLIVIA, model)
    write(bot, "m2", str(alice.phone_number), model)
    assert notify_owners("budget:x", "Half of it is used.") == 1
    work_until(model=model)

    assert sent_to(channel, OLIVIA) == ["Echo: Hello", "Half of it is used."]
    assert sent_to(channel, str(alice.phone_number)) == ["Echo: Hello"]
    assert len(model.history) == 2, "a notice costs no model call"
    assert [state for state, _ in states()] == ["done"] * 3
    assert InboundMessage.objects.get(kind="notice").payload == {}


def test_once_for_each_occasion(olivia: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel) -> None:
    write(bot, "m1", OLIVIA, model)
    assert [notify_owners(key, key) for key in ("a", "a", "b")] == [1, 0, 1]
    # Also when the owner has gone on to another bot meanwhile.
    other = BotFactory.active(slug="other")
    write(other, "m2", OLIVIA, model)
    assert notify_owners("a", "a") == 0
    work_until(model=model)
    assert sorted(sent_to(channel, OLIVIA)) == ["Echo: Hello", "Echo: Hello", "a", "b"]


def test_in_the_chat_that_was_used_last_also_by_another_address(
    olivia: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    Identity.objects.create(user=olivia, channel="console", address="US.1349")
    other = BotFactory.active(slug="other")
    write(bot, "m1", OLIVIA, model)
    write(other, "m2", "US.1349", model)
    notify_owners("a", "News")
    work_until(model=model)
    assert OutboundMessage.objects.get(text="News").bot_id == other.id
    assert sent_to(channel, "US.1349")[-1] == "News"


def test_who_wrote_to_no_bot_or_only_to_a_paused_one_is_not_reached(
    olivia: User, bot: ActiveBot, model: ScriptedModel
) -> None:
    assert notify_owners("a", "News") == 0
    write(bot, "m1", OLIVIA, model)
    Bot.objects.update(paused_at=timezone.now())
    assert notify_owners("a", "News") == 0
    Bot.objects.update(paused_at=None)
    assert notify_owners("a", "News") == 1


def test_a_closed_window_is_not_written_into(
    olivia: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedChannel, "reply_window", timedelta(hours=24))
    write(bot, "m1", OLIVIA, model, sent_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert notify_owners("a", "News") == 1
    assert InboundMessage.objects.values("sent_at").distinct().count() == 1, "the window is counted from their message"
    InboundMessage.objects.update(sent_at=timezone.now() - timedelta(hours=24, minutes=1))
    assert notify_owners("b", "News") == 0
    work_until(model=model)
    assert sent_to(channel, OLIVIA) == ["Echo: Hello"], "it closed while the notice waited"
    assert InboundMessage.objects.get(kind="notice").error_code == "WINDOW_EXPIRED"


def test_the_owner_is_told_by_another_bot_that_one_has_paused(
    olivia: User, alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    office = BotFactory.active(slug="office")
    write(office, "m1", OLIVIA, model)
    channel.enqueue(SendError("190", credentials_refused=True))
    accept.accept(bot, [event("m2")])
    work_until(lambda: len(sent_to(channel, OLIVIA)) == 2, model=model)
    assert sent_to(channel, OLIVIA)[1].startswith("The bot shop has paused: its provider refuses the access token.")


def test_the_bot_tells_an_owner_once_how_much_of_the_budget_is_used(
    olivia: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, settings: Any
) -> None:
    settings.DAILY_BUDGET_MICROS = 1_000_000
    write(bot, "m1", OLIVIA, model)
    DailySpend.objects.update(spent_micros=510_000)
    for _ in range(2):
        every_minute()
        work_until(model=model)
    assert sent_to(channel, OLIVIA)[1:] == ["50 % of today's budget of $1.00 is used ($0.51)."]
    assert len(model.history) == 1


def test_a_demoted_owner_is_told_nothing(
    olivia: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    User.objects.create_superuser(BOB)
    write(bot, "m1", OLIVIA, model)
    User.objects.update_role(olivia, Role.ADMIN)
    assert notify_owners("a", "News") == 0


def test_the_whatsapp_address_of_another_channel_is_not_mixed_up(olivia: User, model: ScriptedModel) -> None:
    shop = WhatsAppBotFactory.create()
    forget()
    Identity.objects.create(user=olivia, channel="telegram", address="7001")
    InboundMessage.objects.create(bot=shop, external_id="x", address="7001", kind="text", state="done")
    from bot.models import Lease

    Lease.objects.create(bot=shop, address="7001", expires_at=timezone.now())
    assert notify_owners("a", "News") == 0

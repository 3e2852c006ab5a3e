"""manage.py trace: a message is named by its id, or it is said why none is found."""

import pytest
from django.core.management import CommandError, call_command

from bot.models import InboundMessage, OutboundMessage
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.history.tracing import traced
from bot.tests.support.factories import STRANGER, BotFactory, InboundFactory, event
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from config.logs.lines import bind
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db")]


def test_the_same_id_of_two_bots_is_two_messages_unless_one_is_named(bot: ActiveBot) -> None:
    other = BotFactory.create(slug="other")
    InboundFactory.create(bot_id=bot.id, external_id="m1")
    InboundFactory.create(bot=other, external_id="m1", address=STRANGER)

    assert traced("m1").count("Message ") == 2
    assert "to bot other (console)" in traced("m1", "--bot", "other")
    assert traced("m1", "--bot", "other").count("Message ") == 1


def test_an_unknown_id_is_an_error_that_says_what_may_be_the_reason(bot: ActiveBot) -> None:
    with pytest.raises(CommandError, match=r"No message is known by this id, nor any reply\."):
        traced("wamid.none")


def test_the_numbers_that_the_admin_shows_are_understood_and_said_what_they_are(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    other = InboundFactory.create(bot=BotFactory.create(slug="other"), address=STRANGER, state="done")
    with bind(request_id="0123456789abcdef0123456789abcdef"):
        accept.accept(bot, [event("wamid.a", text="one"), event("wamid.b", text="two")])
    work_until(model=model)
    first, second = InboundMessage.objects.filter(external_id__in=("wamid.a", "wamid.b")).order_by("pk")
    assert first.turn_key == second.turn_key == first.pk
    OutboundMessage.objects.filter(turn_key=first.pk).update(id=987_654)

    told = traced(str(first.pk))
    assert f"{first.pk} is the number of a message.\nMessage {first.pk} to bot shop" in told
    assert f"{first.pk} is the number of a turn.\nMessage {second.pk} to bot shop" in told
    assert f"#{second.pk} is the number of a message.\nMessage {second.pk}" in traced(f"#{second.pk}")
    assert f"987654 is the number of a part of a reply.\nMessage {first.pk}" in traced("987654")
    assert traced("0123456789abcdef0123456789abcdef").count("is the id of a request") == 2
    assert f"Message {other.pk} to bot other" in traced(str(other.pk), "--bot", "other")
    for unknown in ("123456789", "9" * 40, "-1", "٣", "0123456789abcdef0123456789abcdee"):
        with pytest.raises(CommandError, match="No message is known"):
            call_command("trace", "--", unknown)
    with pytest.raises(CommandError):
        traced(str(other.pk), "--bot", "shop")

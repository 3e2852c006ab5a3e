"""A delivery status that is not about a message of ours moves nothing, whatever id it carries."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.urls import reverse

from bot.channels.echo import read_id, sign_id
from bot.channels.events import StatusEvent
from bot.channels.sending import SendError
from bot.models import InboundMessage, OutboundMessage
from bot.queue import accept
from bot.queue.recovery import send_again
from bot.queue.snapshot import ActiveBot, echo_keys
from bot.tests.support.echoes import echo
from bot.tests.support.entrances import ENTRANCES, Entrance, entrance
from bot.tests.support.factories import WhatsAppBotFactory, event, whatsapp_body, whatsapp_value
from bot.tests.support.fakes import ScriptedChannel, work_until
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.django_db]

PERSON = "+4915112345678"
WORDS = ("sent", "delivered", "read", "failed")


@pytest.fixture(params=ENTRANCES)
def door(request: pytest.FixtureRequest, db: None) -> Iterator[Entrance]:
    with entrance(request.param) as opened:
        yield opened


def stored(bot: Any, status: str, external_id: str = "", part: int = 1) -> OutboundMessage:
    return OutboundMessage.objects.create(
        bot_id=bot.pk, address=PERSON, turn_key=1, part=part, text="An answer", status=status, external_id=external_id
    )


def told(word: str, wamid: str, ours: str = "") -> dict[str, Any]:
    item = {"id": wamid, "status": word, "timestamp": "1700000000", "recipient_id": PERSON[1:]}
    errors = {"errors": [{"code": 131026}]} if word == "failed" else {}
    return {**item, **errors, **({"biz_opaque_callback_data": ours} if ours else {})}


def deliver(door: Entrance, bot: Any, *items: dict[str, Any]) -> None:
    url = reverse("webhook", args=(bot.channel, bot.slug))
    assert door.post(url, whatsapp_body(whatsapp_value(statuses=list(items))), None).status == 200


def state(message: OutboundMessage) -> tuple[str, str, str]:
    message.refresh_from_db()
    return message.status, message.external_id, message.code


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("before", ["queued", "sending", "sent", "uncertain"])
def test_a_bare_number_that_another_system_sends_along_is_none_of_our_ids(
    door: Entrance, word: str, before: str
) -> None:
    bot = WhatsAppBotFactory.create()
    message = stored(bot, before, "wamid.ours" if before == "sent" else "")
    known = state(message)
    deliver(door, bot, told(word, "wamid.of_another_system", str(message.pk)))
    assert state(message) == known


@pytest.mark.parametrize("word", WORDS)
def test_an_id_that_another_installation_signed_is_none_of_ours(
    door: Entrance, settings: LazySettings, word: str
) -> None:
    bot = WhatsAppBotFactory.create()
    message = stored(bot, "uncertain")
    ours, settings.SECRET_KEY = settings.SECRET_KEY, "the key of staging"
    theirs, settings.SECRET_KEY = echo(message.pk), ours
    deliver(door, bot, told(word, "wamid.of_staging", theirs))
    assert state(message) == ("uncertain", "", "")


@pytest.mark.parametrize("word", WORDS)
def test_our_id_beside_another_id_of_the_providers_is_not_about_our_message(door: Entrance, word: str) -> None:
    bot = WhatsAppBotFactory.create()
    message = stored(bot, "sent", "wamid.ours")
    deliver(door, bot, told(word, "wamid.of_the_time_before_the_backup", echo(message.pk)))
    assert state(message) == ("sent", "wamid.ours", "")


@pytest.mark.parametrize("word", WORDS)
def test_what_is_still_queued_is_moved_by_nobody(door: Entrance, word: str) -> None:
    bot = WhatsAppBotFactory.create()
    message = stored(bot, "queued")
    deliver(door, bot, told(word, "wamid.any", echo(message.pk)))
    assert state(message) == ("queued", "", "")


def test_a_reply_that_waits_for_its_second_try_is_sent_whatever_statuses_say(
    alice: User, bot: ActiveBot, channel: ScriptedChannel
) -> None:
    channel.enqueue(SendError("131056", retryable=True, retry_after=0.1))
    accept.accept(bot, [event("m1")])
    work_until(lambda: OutboundMessage.objects.filter(status="queued", error_code="131056").exists())
    waiting = OutboundMessage.objects.get()

    accept.accept(bot, [StatusEvent("wamid.other", "delivered", outbound_id=waiting.pk)])
    work_until()

    assert len(channel.sent) == 2, "the refused try, and the one that was taken"
    assert state(waiting)[0] == "sent"
    assert InboundMessage.objects.get().state == "done"


@pytest.mark.parametrize("word", ["sent", "delivered", "read"])
def test_an_echo_of_ours_still_tells_what_became_of_an_uncertain_send(door: Entrance, word: str) -> None:
    bot = WhatsAppBotFactory.create()
    message = stored(bot, "uncertain")
    deliver(door, bot, told(word, "wamid.ours", echo(message.pk)))
    assert state(message) == (word, "wamid.ours", "RESOLVED")


def test_an_echo_signed_with_a_former_key_is_still_ours(door: Entrance, settings: LazySettings) -> None:
    bot = WhatsAppBotFactory.create()
    message = stored(bot, "uncertain")
    signed = echo(message.pk)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a new key"
    assert read_id(echo_keys(), signed) == message.pk
    assert echo(message.pk) != signed


def test_statuses_of_what_the_version_before_sent_count_where_the_providers_id_is_known(door: Entrance) -> None:
    bot = WhatsAppBotFactory.create()
    message = stored(bot, "sent", "wamid.ours")
    deliver(door, bot, told("delivered", "wamid.ours", str(message.pk)))
    assert state(message)[0] == "delivered"


@pytest.mark.parametrize("first, second", [("ours", "theirs"), ("theirs", "ours")])
def test_two_statuses_in_one_delivery_keep_their_order_however_each_names_the_message(
    door: Entrance, first: str, second: str
) -> None:
    bot = WhatsAppBotFactory.create()
    other, message = stored(bot, "sent", "wamid.other", part=2), stored(bot, "sent", "wamid.ours")
    echoes = {"ours": echo(message.pk), "theirs": ""}
    deliver(
        door,
        bot,
        # (Its statement is run first, and must not take the last one of these along.)
        told("read", "wamid.other", echo(other.pk) if second == "ours" else ""),
        told("delivered", "wamid.ours", echoes[first]),
        told("read", "wamid.ours", echoes[second]),
    )
    assert state(message)[0] == "read"
    assert message.delivered_at is not None and message.read_at is not None
    assert state(other)[0] == "read"


def test_what_staff_send_again_is_called_otherwise_by_the_provider_and_its_statuses_count(
    alice: User, bot: ActiveBot, channel: ScriptedChannel
) -> None:
    accept.accept(bot, [event("m1")])
    work_until()
    message = OutboundMessage.objects.get()
    accept.accept(bot, [StatusEvent(message.external_id, "failed", outbound_id=message.pk, error_code="131026")])

    assert send_again([message.pk]) == 1
    assert state(message) == ("queued", "", "")
    OutboundMessage.objects.update(status="sending")
    accept.accept(bot, [StatusEvent("wamid.second", "delivered", outbound_id=message.pk)])
    assert state(message) == ("delivered", "wamid.second", "")


@pytest.mark.parametrize(
    "value",
    ["", "42", 42, None, "42.", "42.0123456789abcdef", "٤٢.0123456789abcdef", "9" * 5_000, f"{'9' * 19}.{'0' * 16}"],
)
def test_what_nobody_signed_is_no_id(value: Any) -> None:
    assert read_id((b"key",), value) is None


def test_an_id_is_read_as_it_was_signed_only() -> None:
    signed = sign_id((b"key",), 42)
    assert read_id((b"other", b"key"), signed) == 42
    assert read_id((b"other",), signed) is None
    assert read_id((), signed) is None
    assert read_id((b"key",), f"0{signed}") is None
    assert read_id((b"key",), f"43{signed[2:]}") is None
    assert sign_id((), 42) == ""

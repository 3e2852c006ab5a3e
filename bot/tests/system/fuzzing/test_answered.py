"""What came in comes out: after hostile deliveries a worker leaves nothing pending, leased or unsent."""

from random import Random
from typing import Any

import pytest

from bot.channels.events import InboundEvent, InvalidBody
from bot.channels.registry import CHANNELS
from bot.models import AccessRequest, InboundMessage, OutboundMessage
from bot.queue.accept import accept
from bot.tests.support.entrances import Entrance
from bot.tests.support.factories import BotFactory
from bot.tests.system.fuzzing import answering
from bot.tests.system.fuzzing.answering import PATH, answer_everything, cast, stuck
from bot.tests.system.fuzzing.deliveries import delivery, hostile_body, signed
from bot.tests.system.fuzzing.legal import row_faults
from bot.tests.system.fuzzing.mutations import write
from bot.tests.system.fuzzing.payloads import envelope, sent_id, status, value
from bot.tests.system.fuzzing.posting import post
from conversations.models import Message

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.no_cover, pytest.mark.promise("hostile")]

ENOUGH_SECONDS = 120


@pytest.fixture(autouse=True)
def no_limit(settings: Any) -> None:
    settings.RATE_LIMIT_PER_USER = 100_000


def faults() -> list[str]:
    tables: tuple[Any, ...] = (InboundMessage, OutboundMessage, AccessRequest, Message)
    return [fault for table in tables for row in table.objects.all() for fault in row_faults(row)]


def tell_statuses_of_sent_messages(door: Entrance) -> dict[int, str]:
    """Deliver a status for each of three sent messages, and return them by the message."""
    sent = OutboundMessage.objects.filter(status="sent").order_by("-pk").values_list("pk", flat=True)
    told = dict(zip(sent, ("delivered", "read", "failed"), strict=False))
    source = Random(1)
    statuses = [{**status(source), "id": sent_id(pk), "status": word} for pk, word in told.items()]
    for item in statuses:
        item.pop("biz_opaque_callback_data", None)
    body = envelope([{"changes": [{"field": "messages", "value": value([], statuses)}]}])
    assert post(door, PATH, signed(write(body))).status == 200
    return told


def test_a_worker_comes_to_an_end_with_all_that_hostile_webhooks_stored(door: Entrance) -> None:
    cast()
    for number in range(400):
        assert post(door, PATH, delivery(Random(f"answered:{number}"))).status in (200, 400)
        # Twice, so that statuses find messages that were sent.
        if number == 200:
            assert answer_everything(ENOUGH_SECONDS) == {}
    told = tell_statuses_of_sent_messages(door)
    assert len(told) == 3
    assert InboundMessage.objects.pending().exists()
    assert faults() == []

    assert answer_everything(ENOUGH_SECONDS) == {}

    assert stuck() == []
    assert faults() == []
    states = answering.states()
    assert states["inbound done"] > 100
    assert states["outbound sent"] > 10
    assert states["inbound quarantined"] > 10
    assert {row.pk: row.status for row in OutboundMessage.objects.filter(pk__in=told)} == told
    assert not [state for state in states if "dead" in state]


def test_a_channel_without_a_provider_answers_the_same_events() -> None:
    cast()
    bot = BotFactory.active()
    whatsapp = CHANNELS["whatsapp"]
    for number in range(200):
        try:
            events = whatsapp.parse(bot.account, hostile_body(Random(f"console:{number}")))
        except InvalidBody:
            continue
        accept(bot, [event for event in events if isinstance(event, InboundEvent)])
    assert InboundMessage.objects.pending().count() > 50

    assert answer_everything(ENOUGH_SECONDS) == {}

    assert stuck() == []
    assert faults() == []

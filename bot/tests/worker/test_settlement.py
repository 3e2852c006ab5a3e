"""What a settlement records of a turn, and what it leaves alone."""

from datetime import timedelta

import pytest

from bot.models import InboundMessage, Lease, LeaseLost, OutboundMessage, StatusUpdate
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import ALICE, BOB, BotFactory, event, whitelisted
from bot.tests.worker.held import claimed, expire
from bot.worker import replies, settlement
from bot.worker.claims import claim
from bot.worker.settlement import Outcome, Settlement

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.promise("one turn"),
    pytest.mark.promise("statuses"),
]


@pytest.fixture
def bot() -> ActiveBot:
    return BotFactory.active(slug="shop")


def test_a_worker_that_lost_its_lease_cannot_begin_to_send_nor_settle(bot: ActiveBot) -> None:
    turn = claimed(bot)
    (parts,) = replies.store_replies("one", [turn])
    assert isinstance(parts, list)
    expire()
    claim("two", 10)

    (begun,) = replies.begin_sending("one", [(turn, parts[0])])
    (settled,) = settlement.settle("one", [Settlement(turn, Outcome.DONE, part_id=parts[0].id, status="sent")])

    assert isinstance(begun, LeaseLost)
    assert isinstance(settled, LeaseLost)
    assert OutboundMessage.objects.get().attempts == 1, "as it was stored"
    assert InboundMessage.objects.get().state == "pending"
    assert Lease.objects.get().worker == "two"


def test_a_lost_turn_does_not_spoil_the_others_of_its_batch(bot: ActiveBot) -> None:
    mine = claimed(bot)
    whitelisted(BOB)
    accept.accept(bot, [event("m2", address=BOB)])
    (lost,) = claim("one", 10)
    lost.end("Hi Bob")
    Lease.objects.filter(pk=lost.lease.id).update(fence=99)

    stored, refused = replies.store_replies("one", [mine, lost])

    assert isinstance(stored, list)
    assert isinstance(refused, LeaseLost)
    assert OutboundMessage.objects.get().address == ALICE


def test_a_chat_that_is_to_be_tried_later_is_left_alone_until_then(bot: ActiveBot) -> None:
    turn = claimed(bot)
    settlement.settle("one", [Settlement(turn, Outcome.RETRY, retry_in=timedelta(minutes=1))])

    assert claim("two", 10) == []
    expire()
    assert len(claim("two", 10)) == 1


def test_a_status_that_says_delivered_is_not_undone_by_our_own_record(bot: ActiveBot) -> None:
    turn = claimed(bot)
    (parts,) = replies.store_replies("one", [turn])
    assert isinstance(parts, list)
    replies.begin_sending("one", [(turn, parts[0])])
    OutboundMessage.objects.apply_statuses([StatusUpdate(bot.id, "delivered", parts[0].id, "wamid.9")])

    settlement.settle(
        "one", [Settlement(turn, Outcome.DONE, part_id=parts[0].id, status="sent", external_id="wamid.9")]
    )

    outbound = OutboundMessage.objects.get()
    assert (outbound.status, outbound.external_id) == ("delivered", "wamid.9")

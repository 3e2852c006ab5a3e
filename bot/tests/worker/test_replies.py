"""Replies are stored before they are sent, and each write is fenced."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from bot.channels.documents import Document
from bot.models import InboundMessage, LeaseLost, OutboundMessage
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import BotFactory, WhatsAppBotFactory
from bot.tests.worker.held import claimed, expire, put_back
from bot.worker import replies
from bot.worker.claims import claim
from conversations.models import Message
from usage.models import UsageRecord

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.promise("one turn"),
]


@pytest.fixture
def bot() -> ActiveBot:
    return BotFactory.active(slug="shop")


def test_a_worker_that_lost_its_lease_cannot_store_a_reply_but_its_usage_counts(bot: ActiveBot) -> None:
    turn = claimed(bot)
    expire()
    claim("two", 10)

    (result,) = replies.store_replies("one", [turn])

    assert isinstance(result, LeaseLost)
    assert not OutboundMessage.objects.exists()
    assert not Message.objects.exists()
    assert InboundMessage.objects.get().turn_key is None
    assert UsageRecord.objects.get().output_tokens == 2, "the provider bills it all the same"


def test_storing_the_same_reply_twice_returns_what_is_stored(bot: ActiveBot) -> None:
    turn = claimed(bot)

    (first,) = replies.store_replies("one", [turn])
    (second,) = replies.store_replies("one", [turn])

    assert first == second
    assert UsageRecord.objects.count() == OutboundMessage.objects.count() == 1
    assert Message.objects.count() == 2


def test_a_reply_is_stored_and_its_first_send_begun_in_one_commit() -> None:
    turn = claimed(WhatsAppBotFactory.active())
    turn.result.reply = "long " * 1_500

    (parts,) = replies.store_replies("one", [turn])

    assert isinstance(parts, list)
    assert [part.begun for part in parts] == [True, False]
    rows = OutboundMessage.objects.order_by("part")
    assert [(row.status, row.attempts, bool(row.sending_at)) for row in rows] == [
        ("sending", 1, True),
        ("queued", 0, False),
    ]


@pytest.mark.parametrize("what", ["a document", "too late"])
def test_what_cannot_be_sent_at_once_is_stored_and_not_begun(what: str) -> None:
    turn = claimed(WhatsAppBotFactory.active())
    if what == "a document":
        turn.result.reply = None
        assert turn.attach(Document("export.txt", "all of it"))
    else:
        turn.messages[0] = replace(turn.messages[0], sent_at=timezone.now() - timedelta(days=2))

    (parts,) = replies.store_replies("one", [turn])

    assert isinstance(parts, list)
    assert [(part.status, part.begun) for part in parts] == [("queued", False)]
    assert OutboundMessage.objects.get().attempts == 0


@pytest.mark.parametrize("put_off", ["given back", "tried later"])
def test_what_was_stored_as_being_sent_and_not_requested_is_sent_by_the_next_owner(
    bot: ActiveBot, put_off: str
) -> None:
    """The turn was cut off, or the commit's answer lost, between the store and the request."""
    turn = claimed(bot)
    replies.store_replies("one", [turn])

    put_back(turn, put_off)

    (again,) = claim("two", 10)
    assert [(part.status, part.begun) for part in again.parts] == [("queued", False)]
    assert OutboundMessage.objects.get().attempts == 0


def test_a_reply_that_is_stored_again_after_its_send_was_requested_does_not_go_out_again(bot: ActiveBot) -> None:
    """As when what became of the send could not be written, and the turn is given up."""
    turn = claimed(bot)
    replies.store_replies("one", [turn])
    turn.requested = True

    (parts,) = replies.store_replies("one", [turn])

    assert isinstance(parts, list)
    assert [(part.status, part.begun) for part in parts] == [("sending", False)]


def test_a_part_that_went_out_already_is_not_begun(bot: ActiveBot) -> None:
    turn = claimed(bot)
    (parts,) = replies.store_replies("one", [turn])
    assert isinstance(parts, list)
    for status in ("sent", "delivered", "failed", "uncertain", "expired"):
        OutboundMessage.objects.update(status=status)
        assert replies.begin_sending("one", [(turn, parts[0])]) == [False]


def test_beginning_a_send_again_whose_commit_was_not_answered_still_lets_it_go_out(bot: ActiveBot) -> None:
    turn = claimed(bot)
    (parts,) = replies.store_replies("one", [turn])
    assert isinstance(parts, list)

    assert replies.begin_sending("one", [(turn, parts[0])]) == [True]
    assert replies.begin_sending("one", [(turn, parts[0])]) == [True], "it was begun, and nothing was sent yet"
    assert OutboundMessage.objects.get().status == "sending"

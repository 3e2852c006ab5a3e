"""What deliveries count for: messages by kind, refusals by code, and statuses that move something."""

import pytest
from django.db import transaction
from django.test import Client

from bot.channels.events import RejectedItem, StatusEvent
from bot.models import OutboundMessage
from bot.monitoring.metrics import memory, views
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.monitoring.metrics.scraping import samples
from bot.tests.support.factories import ALICE, event

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    memory.pending.take()
    views.forget()


def test_messages_are_counted_by_bot_and_kind_and_redeliveries_apart(client: Client, bot: ActiveBot) -> None:
    accept.accept(bot, [event("one"), event("two", kind="image"), RejectedItem("no id")], b"body")
    accept.accept(bot, [event("two", kind="image"), event("three"), event("three")], b"other")
    found = samples(client)
    assert found["messages_received_total", "shop", "text"] == 2
    assert found["messages_received_total", "shop", "image"] == 1
    assert found["messages_redelivered_total", "shop"] == 2
    assert found["messages_quarantined_total", "shop"] == 1


def test_refused_webhooks_are_counted_by_code(client: Client) -> None:
    for _ in range(2):
        assert client.post("/webhooks/whatsapp/nobodys/", b"{}", content_type="application/json").status_code == 403
    assert samples(client)["webhooks_refused_total", "UNAUTHORIZED"] == 2


def test_a_status_counts_when_it_moves_something_and_is_committed(client: Client, bot: ActiveBot) -> None:
    sent = OutboundMessage.objects.create(
        bot_id=bot.id, address=ALICE, turn_key=1, part=1, text="x", status="sent", external_id="wamid.1"
    )
    status = StatusEvent(status="delivered", external_id="wamid.1")
    for _ in range(3):
        accept.accept(bot, [status])
    with transaction.atomic():
        accept.accept(bot, [StatusEvent(status="read", external_id="wamid.1")])
        transaction.set_rollback(True)
    sent.refresh_from_db()
    assert sent.status == "delivered"
    assert {key: value for key, value in samples(client).items() if key[0] == "deliveries_total"} == {
        ("deliveries_total", "delivered"): 1
    }

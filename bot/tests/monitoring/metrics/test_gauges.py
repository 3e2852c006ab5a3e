"""Gauges are read from the tables."""

from typing import Any

import pytest
from django.test import Client

from bot.models import InboundMessage, OutboundMessage
from bot.monitoring.metrics import memory, views
from bot.tests.monitoring.metrics.scraping import samples
from bot.tests.support.factories import ALICE, BotFactory, InboundFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nothing_counted() -> None:
    memory.pending.take()
    views.forget()


def test_gauges_are_read_from_the_tables(client: Client, settings: Any) -> None:
    settings.DAILY_BUDGET_MICROS = 5_000_000
    bot = BotFactory.create(slug="shop")
    InboundFactory.create(bot=bot)
    InboundFactory.create_batch(2, bot=bot, state=InboundMessage.State.DEAD)
    OutboundMessage.objects.create(bot=bot, address=ALICE, turn_key=1, part=1, status="uncertain")
    found = samples(client)
    assert found["waiting_messages",] == 1
    assert found["dead_letters",] == 2
    assert found["uncertain_sends",] == 1
    assert found["budget_cap_dollars",] == 5

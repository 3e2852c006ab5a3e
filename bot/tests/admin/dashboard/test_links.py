"""Each figure of the admin's first page leads to the rows that it counts."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client

from bot.admin.dashboard import links
from bot.models import Bot
from bot.operations.figures.folding import fold_minute
from bot.operations.figures.history import history
from bot.tests.admin.dashboard.asking import NOON, NOW, everything, ids, page, rows
from bot.tests.support.factories import BotFactory
from bot.tests.support.figure_rows import call, message, reply
from users.tests.factories import alice

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def shop() -> Bot:
    return BotFactory.create(slug="shop", name="Shop")


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(alice())
    return client


@pytest.mark.parametrize("is_kept", [True, False])
def test_days_lead_to_exactly_the_rows_they_count(owner: Client, shop: Bot, is_kept: bool) -> None:
    other = BotFactory.create(slug="other")
    before, after = NOON - timedelta(days=1), NOON + timedelta(days=1)
    for at in (before, after):
        message(shop, at, took=1), reply(shop, at), call("shop", at)
    answered = message(shop, NOON, took=1)
    others = message(other, NOON, took=1)
    failed = message(shop, NOON, state="done", error_code="RATE_LIMIT_EXCEEDED")
    went, others_went, lost = reply(shop, NOON), reply(other, NOON, "read"), reply(shop, NOON, "failed")
    paid, others_paid = call("shop", NOON), call("other", NOON)
    if is_kept:
        fold_minute()
    day = history().days[-2]
    assert rows(owner, links.received(day, None)) == ids(answered, failed, others)
    assert rows(owner, links.answered(day, None)) == ids(answered, others)
    assert rows(owner, links.sent(day, None)) == ids(went, others_went) and lost.status == "failed"
    assert rows(owner, links.usage(day.day, day.day)) == ids(paid, others_paid)
    day = history(shop).days[-2]
    assert rows(owner, links.received(day, shop)) == ids(answered, failed)
    assert rows(owner, links.answered(day, shop)) == ids(answered)
    assert rows(owner, links.sent(day, shop)) == ids(went)
    assert rows(owner, links.usage(day.day, day.day, shop)) == ids(paid)


def test_a_day_in_another_time_zone_leads_to_its_own_rows(owner: Client, shop: Bot, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    # 11 March in Tokyo begins on the 10th at 15:00 in UTC; it is the 12th there already.
    start = datetime(2026, 3, 10, 15, tzinfo=UTC)
    message(shop, start - timedelta(seconds=1), took=1)
    first, last = message(shop, start, took=1), message(shop, start + timedelta(hours=24, seconds=-1), took=1)
    day = history().days[-2]
    assert (day.day.day, day.received) == (11, 2)
    assert rows(owner, links.received(day, None)) == ids(first, last)


def test_days_whose_messages_are_gone_lead_nowhere_and_their_calls_are_still_listed(owner: Client) -> None:
    paid = call("shop", NOON - timedelta(days=20))
    day = history().days[-22]
    assert links.received(day, None) == links.sent(day, None) == ""
    assert rows(owner, links.usage(day.day, day.day)) == ids(paid)


def test_every_link_of_the_page_leads_to_a_page(owner: Client, shop: Bot, settings: Any) -> None:
    settings.DAILY_BUDGET_MICROS = 1_000
    everything(shop)
    addresses = {unescape(found) for found in re.findall(r'href="(/admin/[^"]*)"', page(owner))}
    assert len(addresses) > 20
    for address in sorted(addresses):
        if "/logout/" not in address:
            response = owner.get(address)
            assert response.status_code == 200, address

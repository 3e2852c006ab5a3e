"""Bots are known without a query for some seconds, new ones almost at once, paused ones no longer than that."""

from types import SimpleNamespace
from typing import Any

import pytest

from bot.models import Bot
from bot.queue import snapshot
from bot.queue.snapshot import bot_by_id, current, find_bot
from bot.tests.support.factories import BotFactory, WhatsAppBotFactory

pytestmark = [pytest.mark.database, pytest.mark.django_db]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(snapshot, "time", SimpleNamespace(monotonic=clock))
    return clock


def test_a_known_bot_costs_no_query(clock: Clock, django_assert_num_queries: Any) -> None:
    bot = WhatsAppBotFactory.create(slug="shop")
    find_bot("whatsapp", "shop")
    clock.now += snapshot.FRESH_SECONDS
    with django_assert_num_queries(0):
        found = find_bot("whatsapp", "shop")
        assert bot_by_id(bot.pk) is found
    assert found is not None
    assert found.account.credentials == bot.credentials


def test_a_change_counts_after_some_seconds_without_a_restart(clock: Clock) -> None:
    BotFactory.create(slug="shop")
    find_bot("console", "shop")
    Bot.objects.update(is_active=False)
    assert find_bot("console", "shop") is not None
    clock.now += snapshot.FRESH_SECONDS + 0.1
    assert find_bot("console", "shop") is None


def test_a_new_bot_is_found_at_once_and_a_url_that_is_nobodys_does_not_read_the_table_each_time(
    clock: Clock, django_assert_num_queries: Any
) -> None:
    find_bot("console", "shop")
    clock.now += snapshot.MISSED_SECONDS + 0.1
    BotFactory.create(slug="shop")
    assert find_bot("console", "shop") is not None
    with django_assert_num_queries(0):
        for _ in range(10):
            assert find_bot("console", "nobody") is None


def test_a_bot_without_an_account_id_takes_every_account_that_is_signed_for_it() -> None:
    bot = WhatsAppBotFactory.active(account_id="")
    assert current().bot_for_account(bot, "123") is bot
    assert current().bot_for_account(bot, "") is bot


def test_a_snapshot_stays_what_it_was_and_is_read_anew_only_where_a_newer_one_is_wanted(
    clock: Clock, django_assert_num_queries: Any
) -> None:
    assert snapshot.latest() is None
    before = current()
    BotFactory.create(slug="shop")
    clock.now += snapshot.FRESH_SECONDS
    with django_assert_num_queries(0):
        assert current() is before
        assert snapshot.latest() is before
    assert current(snapshot.MISSED_SECONDS).find_bot("console", "shop") is not None
    assert before.find_bot("console", "shop") is None

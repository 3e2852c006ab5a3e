"""What is to be done, on the admin's first page: the worst first, each with the rows that it is done in."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from bot.admin.dashboard import links
from bot.admin.dashboard.sections import build
from bot.admin.dashboard.todo import uncertain_sends
from bot.models import Bot
from bot.tests.admin.dashboard.asking import NOON, NOW, alive, everything, ids, page, rows
from bot.tests.support.factories import BotFactory
from bot.tests.support.figure_rows import message, reply
from users.permissions import ROLE_PERMISSIONS
from users.roles import Role
from users.tests.factories import alice

pytestmark = [pytest.mark.database, pytest.mark.django_db]

OWNER, ADMIN = ROLE_PERMISSIONS[Role.OWNER], ROLE_PERMISSIONS[Role.ADMIN]


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


def test_what_is_to_be_done_is_at_the_top_the_worst_first(owner: Client, shop: Bot, settings: Any) -> None:
    settings.DAILY_BUDGET_MICROS = 1_000
    everything(shop)
    shop.refresh_from_db()
    todos = build(OWNER).todos or []
    assert [(todo.tone, todo.text) for todo in todos] == [
        ("bad", "No worker is running: nobody is answered."),
        ("bad", "No scheduler is running: nothing is purged, and no budget alert is sent."),
        ("bad", "Shop is paused: what people write to it waits."),
        ("bad", "1 message could not be answered: replay it."),
        ("bad", "Budget used up: Shop, $0.0001 of $0.0001."),
        ("warn", "Nobody knows whether 1 message arrived: find out, and mark it as sent or send it again."),
        ("warn", "Budget nearly used up: Everybody together, $0.00095 of $0.001."),
        ("warn", "1 scheduled task failed."),
        ("", "1 person asks for access."),
    ]
    content = page(owner)
    assert content.index("To do") < content.index("Messages in")


def test_an_owner_is_told_that_no_budget_bounds_what_a_paid_model_costs(
    owner: Client, shop: Bot, settings: Any
) -> None:
    said = "No daily budget is set: nothing bounds what answers cost. Set DAILY_BUDGET_USD in the environment."
    settings.LLM_PROVIDER = "openai"
    assert said in [todo.text for todo in build(OWNER).todos or []]
    assert said in page(owner)
    assert said not in [todo.text for todo in build(ADMIN).todos or []]
    for name, value in (("USER_DAILY_BUDGET_MICROS", 1), ("DAILY_BUDGET_MICROS", 0)):
        setattr(settings, name, value)
        assert said not in [todo.text for todo in build(OWNER).todos or []]
        setattr(settings, name, None)


def test_things_to_do_lead_to_exactly_the_rows_they_count(owner: Client, shop: Bot) -> None:
    message(shop, NOON, took=1), reply(shop, NOON)
    dead = message(shop, NOON, state="dead", error_code="INTERNAL_ERROR")
    lost = message(shop, NOON, state="done", error_code="UNCERTAIN:timeout")
    ended = message(shop, NOON, state="dead", error_code="INTERNAL_ERROR")
    shop.inbound_messages.filter(pk=lost.pk).update(turn_key=lost.pk)
    shop.inbound_messages.filter(pk=ended.pk).update(turn_key=ended.pk)
    why = {"doubt": "timeout"}
    uncertain = tuple(reply(shop, NOON, "uncertain", turn_key=turn.pk, **why) for turn in (lost, ended))
    reply(shop, NOON, "sent", turn_key=lost.pk, part=1)
    waiting = message(shop, NOW, available_at=NOW - timedelta(minutes=3))
    assert rows(owner, links.dead()) == ids(dead, ended)
    assert rows(owner, links.uncertain()) == ids(*uncertain) and uncertain_sends() == 2
    assert rows(owner, links.waiting()) == ids(waiting)
    assert rows(owner, links.failed("INTERNAL_ERROR", shop)) == ids(dead, ended)
    assert "A message has waited for 3 minutes." in page(owner)


def test_with_nothing_to_do_it_says_so(owner: Client, shop: Bot) -> None:
    alive()
    message(shop, NOW, took=2)
    assert "Nothing: everything that came in is answered" in page(owner)

"""The admin's first page: each figure right and leading to the rows behind it, for those who may see them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from bot.admin.dashboard.sections import build
from bot.models import Bot, Heartbeat
from bot.operations.figures.folding import fold_minute
from bot.tests.admin.dashboard.asking import NOON, NOW, alive, page
from bot.tests.support.factories import BotFactory
from bot.tests.support.figure_rows import message
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


def test_a_fresh_installation_says_what_to_do_first(owner: Client) -> None:
    content = page(owner)
    assert "Nothing has been received yet" in content
    for address in ("/admin/bot/bot/add/", "/admin/users/user/add/", reverse("simulator:chat")):
        assert f'href="{address}"' in content
    # Plots of nothing would only be in the way.
    assert "desk-plot" not in content and "Right now" in content
    message(BotFactory.create(), NOW - timedelta(days=4), took=1)
    assert "Nothing has been received yet" not in page(owner)


def test_processes_the_queue_and_the_last_answers_are_told(shop: Bot) -> None:
    alive()
    for second in (1, 2, 9):
        message(shop, NOON, took=second)
    waits = NOW - timedelta(seconds=50)
    message(shop, NOW, available_at=waits), message(shop, waits, available_at=waits)
    facts = {fact.name: (fact.value, fact.tone) for fact in build(OWNER).facts}
    assert facts["Workers"] == facts["Scheduler"] == ("1 running", "good")
    assert facts["Messages waiting"] == ("2", "")
    assert facts["Oldest waiting"] == ("50 seconds", "")
    assert facts["The last answers (3)"] == ("half within 2.0 s, 95 % within 9.0 s", "")
    Heartbeat.objects.update(seen_at=NOW - timedelta(minutes=10))
    facts = {fact.name: (fact.value, fact.tone) for fact in build(OWNER).facts}
    assert facts["Workers"] == ("not running, last seen 10 minutes ago", "bad")


def test_failures_are_told_by_code_with_those_whose_rows_are_gone(shop: Bot, clock: time_machine.Traveller) -> None:
    for _ in range(2):
        message(shop, NOON, state="done", error_code="RATE_LIMIT_EXCEEDED")
    message(shop, NOON, state="done", error_code="UNAUTHORIZED")
    fold_minute()
    shop.inbound_messages.all().delete()
    clock.move_to(NOON + timedelta(days=12))
    message(shop, NOON + timedelta(days=12), state="done", error_code="RATE_LIMIT_EXCEEDED")
    (failure,) = build(OWNER).failures or []
    assert (failure.code, failure.kept, failure.total) == ("RATE_LIMIT_EXCEEDED", 1, 3)


def test_the_figures_of_one_bot_can_be_asked_for(owner: Client, shop: Bot) -> None:
    BotFactory.create(slug="other")
    message(shop, NOW, took=1), message(Bot.objects.get(slug="other"), NOW, took=1)
    assert build(OWNER).charts[0].today == "2"
    assert build(OWNER, "other").charts[0].today == "1"
    assert '<a href="?bot=other" aria-current="page">' in page(owner, "?bot=other")
    # Who asks for a bot that is not there gets all of them.
    assert build(OWNER, "gone").charts[0].today == "2"

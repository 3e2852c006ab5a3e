"""Who sees which part of the admin's first page, and at what cost."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from bot.admin.dashboard.sections import Dashboard, build
from bot.admin.dashboard.view import dashboard
from bot.models import AccessRequest, Bot
from bot.operations.figures.folding import fold_minute
from bot.tests.admin.dashboard.asking import NOW, everything, page
from bot.tests.support.factories import ALICE, BotFactory
from bot.tests.support.figure_rows import call, message, reply
from usage.days import today
from usage.models import DailySpend
from users.permissions import ROLE_PERMISSIONS, Permission
from users.roles import Role
from users.tests.factories import UserFactory, alice, bob, charlie

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


def test_an_admin_sees_what_the_table_of_permissions_says(shop: Bot, settings: Any) -> None:
    everything(shop)
    admin = build(ADMIN)
    assert len(admin.charts) == 6 and admin.people and admin.gauges and admin.failures
    # Not what failed in the scheduler: the list behind it is an owner's.
    texts = [todo.text for todo in admin.todos or []]
    assert "1 scheduled task failed." not in texts and "1 person asks for access." in texts
    assert not any("/django_q/" in todo.href for todo in admin.todos or [])


def test_an_admin_can_open_every_link_of_the_page(shop: Bot, settings: Any) -> None:
    settings.DAILY_BUDGET_MICROS = 1_000
    everything(shop)
    client = Client()
    client.force_login(bob(role=Role.ADMIN))
    content = page(client)
    main = content[content.index('id="content-main"') :]
    for address in {unescape(found) for found in re.findall(r'href="(/[^"]*)"', main)}:
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize("permission", Permission)
def test_one_permission_shows_only_what_it_is_for(permission: Permission, shop: Bot, settings: Any) -> None:
    settings.DAILY_BUDGET_MICROS = 1_000
    everything(shop)
    shown = build(frozenset({permission}))
    titles = [chart.title for chart in shown.charts]
    messages, spending = permission == Permission.SEE_MESSAGES, permission == Permission.SEE_SPENDING
    assert ("Messages in" in titles) == bool(shown.facts) == bool(shown.failures) == messages
    assert ("Cost" in titles) == bool(shown.gauges) == bool(shown.models) == spending
    assert bool(shown.bots) == (permission == Permission.SEE_BOTS)
    # Whose name it is takes the right to see people as well.
    assert not shown.people and not shown.near


def test_who_may_see_nothing_is_shown_nothing(shop: Bot) -> None:
    everything(shop)
    assert build(frozenset()) == Dashboard()
    request = RequestFactory().get("/admin/")
    for nobody in (charlie(is_staff=True), AnonymousUser()):
        request.user = nobody
        assert dashboard(request, {})["desk"] == Dashboard()
    client = Client()
    client.force_login(charlie(is_staff=True, phone_number=ALICE))
    content = page(client)
    assert "Your role may see none of the figures." in content and "desk-plot" not in content


def test_who_only_chats_and_who_is_not_signed_in_gets_to_the_login() -> None:
    client = Client()
    assert client.get("/admin/").status_code == 302
    client.force_login(charlie())
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("more", [1, 3])
def test_the_number_of_queries_does_not_depend_on_the_number_of_rows(
    owner: Client, settings: Any, more: int, django_assert_num_queries: Any
) -> None:
    settings.DAILY_BUDGET_MICROS = 1_000
    for _ in range(more):
        bot = BotFactory.create(daily_budget_micros=1_000, user_daily_budget_micros=1_000)
        for ago in range(3):
            message(bot, NOW - timedelta(days=ago), took=1), reply(bot, NOW - timedelta(days=ago), "uncertain")
            message(bot, NOW - timedelta(days=ago), state="dead", error_code="INTERNAL_ERROR")
            person = UserFactory.create(daily_budget_micros=1_000)
            call(bot.slug, NOW - timedelta(days=ago), 900, user=person)
            DailySpend.objects.create(user=person, day=today() - timedelta(days=ago), spent_micros=900)
        AccessRequest.objects.create(bot=bot, address=ALICE)
    fold_minute()
    page(owner)
    # The session and its person, the bots, how the system does, 3 of budgets, 4 of things to do, the days, the last
    # answers, the failures, 2 of the dearest people.
    with django_assert_num_queries(16):
        page(owner)

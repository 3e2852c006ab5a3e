"""The admin's first page: each figure right and leading to the rows behind it, for those who may see them."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.translation import override
from django_q.models import Task

from bot.admin.dashboard import links
from bot.admin.dashboard.costs import budgets, dearest_people, people_near_their_budget
from bot.admin.dashboard.sections import Dashboard, build
from bot.admin.dashboard.todo import uncertain_sends
from bot.admin.dashboard.view import dashboard
from bot.admin.dashboard.words import age, number, seconds
from bot.models import AccessRequest, Bot, Heartbeat
from bot.operations.figures.folding import fold_minute
from bot.operations.figures.history import history
from bot.tests.support.factories import ALICE, BOB, BotFactory
from bot.tests.support.figure_rows import call, message, reply
from usage.days import today
from usage.models import DailySpend
from users.models import User
from users.permissions import ROLE_PERMISSIONS, Permission
from users.roles import Role
from users.tests.factories import UserFactory, alice, bob, charlie

pytestmark = [pytest.mark.database, pytest.mark.django_db]

NOW = datetime(2026, 3, 11, 15, 40, tzinfo=UTC)
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
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


def page(client: Client, query: str = "") -> str:
    response = client.get(f"/admin/{query}")
    assert response.status_code == 200
    return str(response.content.decode())


def rows(client: Client, address: str) -> set[int]:
    """Return the ids of the rows that a list shows at an address, which must understand all of it."""
    response = client.get(address)
    assert response.status_code == 200, f"{address} leads to {response.headers.get('Location')}"
    return {row.pk for row in response.context["cl"].result_list}


def alive() -> None:
    for kind in ("worker", "scheduler"):
        Heartbeat.objects.create(kind=kind, process=kind, seen_at=NOW)


def ids(*made: Any) -> set[int]:
    return {row.pk for row in made}


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


def everything(shop: Bot) -> None:
    """Store something of each kind that the page shows."""
    person = UserFactory.create(name="Zoe", daily_budget_micros=100)
    key = message(shop, NOON, state="done", error_code="UNCERTAIN:timeout", turn_key=1).pk
    type(shop).objects.filter(pk=shop.pk).update(paused_at=NOW, daily_budget_micros=100)
    message(shop, NOW, took=2), message(shop, NOON, state="dead", error_code="INTERNAL_ERROR")
    message(shop, NOW - timedelta(minutes=5)), reply(shop, NOON, "uncertain", turn_key=key, doubt="timeout")
    shop.inbound_messages.filter(pk=key).update(turn_key=key)
    call("shop", NOW, 95, user=person)
    DailySpend.objects.create(day=today(), spent_micros=950)
    DailySpend.objects.create(day=today(), bot="shop", spent_micros=100)
    AccessRequest.objects.create(bot=shop, address=BOB)
    Task.objects.create(id="f" * 32, name="t", func="f", started=NOW, stopped=NOW, success=False)


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


def test_budgets_are_told_with_what_is_spent_and_reserved(shop: Bot, settings: Any) -> None:
    settings.DAILY_BUDGET_MICROS = 10_000_000
    free, zero = BotFactory.create(slug="free"), BotFactory.create(slug="zero", daily_budget_micros=0)
    shop.daily_budget_micros = 4_000_000
    DailySpend.objects.create(day=today(), spent_micros=2_000_000, reserved_micros=500_000)
    DailySpend.objects.create(day=today(), bot="shop", spent_micros=3_900_000)
    DailySpend.objects.create(day=today() - timedelta(days=1), bot="shop", spent_micros=4_000_000)
    DailySpend.objects.create(day=today(), user=alice(), spent_micros=4_000_000)
    told = [(gauge.name, gauge.words, gauge.budget.percent, gauge.budget.tone) for gauge in budgets([shop, free, zero])]
    assert told == [
        ("Everybody together", "$2.50 of $10.00", 25, "good"),
        ("Shop", "$3.90 of $4.00", 97, "warn"),
        ("Zero", "$0.00 of $0.00", 100, "bad"),
    ]
    settings.DAILY_BUDGET_MICROS = None
    assert budgets([free]) == []


def paid(bot: str, micros: int, person: User) -> None:
    """Record a call of now as the worker does: in the records and in the person's budget."""
    call(bot, NOW, micros, user=person)
    DailySpend.objects.create(day=today(), user=person, spent_micros=micros // 2, reserved_micros=micros - micros // 2)


def test_people_near_their_budget_are_those_who_have_used_most_of_theirs(shop: Bot, settings: Any) -> None:
    settings.USER_DAILY_BUDGET_MICROS = 1_000
    shop.user_daily_budget_micros = 500
    own = UserFactory.create(name="Own", daily_budget_micros=100)
    of_bot, of_all = UserFactory.create(name="Of bot"), UserFactory.create(name="Of all")
    for person, bot, micros in ((own, "shop", 80), (of_bot, "shop", 400), (of_all, "other", 800)):
        paid(bot, micros, person)
        call(bot, NOON, 10_000, user=person)
    for bot, micros in (("shop", 399), ("other", 799)):
        paid(bot, micros, UserFactory.create(name="Far"))
    near, others = people_near_their_budget([shop])
    assert [(gauge.name.split(" (")[0], gauge.words) for gauge in near] == [
        ("Of all", "$0.0008 of $0.001"),
        ("Of bot", "$0.0004 of $0.0005"),
        ("Own", "$0.00008 of $0.0001"),
    ]
    assert others == 0 and near[0].href == links.person(of_all.pk)
    settings.USER_DAILY_BUDGET_MICROS = None
    shop.user_daily_budget_micros = None
    assert len(people_near_their_budget([shop])[0]) == 1


def test_more_people_near_their_budget_than_are_shown_are_counted() -> None:
    for _ in range(7):
        paid("shop", 100, UserFactory.create(daily_budget_micros=100))
    near, others = people_near_their_budget([])
    assert (len(near), others) == (5, 2)


def test_the_dearest_people_and_models_lead_to_their_calls(owner: Client, shop: Bot) -> None:
    zoe, max_ = UserFactory.create(name="Zoe"), UserFactory.create(name="Max")
    dear = call("shop", NOW, 900, user=zoe, model="gpt-6"), call("shop", NOW, 500, user=zoe, model="gpt-6-luna")
    cheap = call("shop", NOW, 1_000, user=max_, model="gpt-6-luna")
    call("shop", NOW - timedelta(hours=25), 9_000, user=max_)
    people = dearest_people()
    assert [(one.name.split(" (")[0], one.amount, one.share) for one in people] == [
        ("Zoe", "$0.0014", 100),
        ("Max", "$0.001", 71),
    ]
    assert rows(owner, people[0].href) == ids(*dear)
    assert [one.amount for one in dearest_people(shop)] == ["$0.0014", "$0.001"]
    assert dearest_people(BotFactory.create(slug="other")) == []
    models = build(OWNER).models or []
    assert [(one.name, one.amount) for one in models] == [("gpt-6-luna", "$0.0105"), ("gpt-6", "$0.0009")]
    assert rows(owner, models[1].href) == ids(dear[0]) and cheap.pk in rows(owner, models[0].href)


def test_the_figures_of_one_bot_can_be_asked_for(owner: Client, shop: Bot) -> None:
    BotFactory.create(slug="other")
    message(shop, NOW, took=1), message(Bot.objects.get(slug="other"), NOW, took=1)
    assert build(OWNER).charts[0].today == "2"
    assert build(OWNER, "other").charts[0].today == "1"
    assert '<a href="?bot=other" aria-current="page">' in page(owner, "?bot=other")
    # Who asks for a bot that is not there gets all of them.
    assert build(OWNER, "gone").charts[0].today == "2"


def test_days_of_which_nothing_is_known_say_so(owner: Client, shop: Bot) -> None:
    message(shop, NOON, took=1)
    assert "February 10: not known" in page(owner)
    assert "6 days have yet to be summed up" in page(owner)
    fold_minute()
    assert "have yet to be summed up" not in page(owner)


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


def test_numbers_and_times_are_written_in_the_readers_language(owner: Client, shop: Bot) -> None:
    assert (number(1_234_567), seconds(2_449)) == ("1,234,567", "2.4 s")
    with override("de"):
        assert (number(1_234_567), seconds(2_449)) == ("1.234.567", "2,4 s")
    assert (seconds(None), seconds(150_000)) == ("–", "2 minutes")
    assert [age(length) for length in (1, 59.9, 3_600, 200_000)] == ["1 second", "59 seconds", "1 hour", "2 days"]
    message(shop, NOW, took=1)
    owner.cookies["django_language"] = "de"
    assert 'lang="de"' in page(owner)


def test_headings_are_in_order_and_every_plot_has_a_name(owner: Client, shop: Bot) -> None:
    everything(shop)
    content = page(owner)
    levels = [int(level) for level in re.findall(r"<h(\d)[ >]", content[content.index('id="content-main"') :])]
    assert levels[0] == 2
    assert all(after <= before + 1 for before, after in pairwise(levels))
    plots = re.findall(r'<svg class="desk-plot"[^>]*>', content)
    assert len(plots) == 6
    assert all('role="group" aria-label="' in plot for plot in plots)
    assert "<script>" not in content[content.index('id="content-main"') :]

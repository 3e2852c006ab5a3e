"""The page of a person: what they spent, when they were seen, and what leads on, each for who may see it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bot.tests.admin.people.spending import page
from conversations.models import Conversation
from usage.days import today
from usage.models import DailySpend
from users.models import User
from users.roles import Role
from users.tests.factories import IdentityFactory, UserFactory, alice, bob

pytestmark = pytest.mark.django_db

NUMBER = "+491711234567"


@pytest.fixture
def person(settings: Any) -> User:
    settings.USER_DAILY_BUDGET_MICROS = 1_000_000
    return bob(phone_number=NUMBER)


@pytest.fixture
def as_owner(client: Client) -> Client:
    client.force_login(alice())
    return client


def spend(person: User, micros: int, days_ago: int = 0, reserved: int = 0) -> None:
    day = today() - timedelta(days=days_ago)
    DailySpend.objects.create(user=person, day=day, spent_micros=micros, reserved_micros=reserved)


def links(page: str) -> list[str]:
    panel = page.partition('class="desk-grid person-panel"')[2].partition("<form")[0]
    return re.findall(r'<li><a href="([^"]+)">', panel)


def test_it_shows_what_they_spent_today_and_in_thirty_days(as_owner: Client, person: User) -> None:
    spend(person, 800_000, reserved=50_000)
    spend(person, 1_500_000, days_ago=29)
    spend(person, 9_000_000, days_ago=30)
    spend(UserFactory.create(), 7_000_000)
    shown = page(as_owner, person)
    assert '<p class="person-figure">$0.85</p>' in shown
    assert "of $1.00, the default" in shown
    assert '<progress class="desk-gauge warn" max="100" value="85"' in shown
    assert "Last 30 days: $2.30" in shown
    assert shown.count('class="part-0"') == 2, "a bar for each day that cost something"
    assert '<svg class="desk-plot small"' in shown


@pytest.mark.parametrize(
    ("own", "default", "text"),
    [
        (2_500_000, 1_000_000, "of $2.50, their own budget"),
        (None, None, "No daily budget."),
        (0, None, "of $0.00, their"),
    ],
)
def test_it_says_whose_budget_it_is(
    as_owner: Client, person: User, settings: Any, own: int | None, default: int | None, text: str
) -> None:
    settings.USER_DAILY_BUDGET_MICROS = default
    User.objects.filter(pk=person.pk).update(daily_budget_micros=own)
    assert text in page(as_owner, person)


def test_it_says_when_they_were_seen_or_that_they_never_were(as_owner: Client, person: User) -> None:
    assert "Has never written to a bot" in page(as_owner, person)
    User.objects.filter(pk=person.pk).update(last_seen_at=timezone.now() - timedelta(hours=5, minutes=3))
    assert re.search(r"Last seen <time [^>]+>5\xa0hours ago</time>", page(as_owner, person))


def test_it_leads_an_owner_to_all_that_is_theirs(as_owner: Client, person: User) -> None:
    IdentityFactory.create(user=person, address="700700")
    talk = Conversation.objects.find_or_create(person, "shop")
    Conversation.objects.find_or_create(UserFactory.create(), "shop")
    number = NUMBER.replace("+", "%2B")
    assert links(page(as_owner, person)) == [
        reverse("admin:conversations_conversation_change", args=(talk.pk,)),
        *(f"{reverse('admin:bot_inboundmessage_changelist')}?q={one}" for one in (number, "700700")),
        *(f"{reverse('admin:bot_outboundmessage_changelist')}?q={one}" for one in (number, "700700")),
        f"{reverse('admin:usage_usagerecord_changelist')}?q={number}",
        f"/?person={number}",
    ]
    for link in links(page(as_owner, person)):
        assert as_owner.get(link).status_code == 200


def test_an_admin_is_led_to_no_conversation(client: Client, person: User) -> None:
    Conversation.objects.find_or_create(person, "shop")
    client.force_login(UserFactory.create(role=Role.ADMIN))
    shown = page(client, person)
    assert "conversations" not in shown
    assert any("inboundmessage" in link for link in links(shown))
    assert 'class="person-figure"' in shown


def test_a_blocked_person_and_one_without_a_number_cannot_be_played(as_owner: Client) -> None:
    for one in (UserFactory.create(is_whitelisted=False), UserFactory.create(phone_number=None)):
        assert not any("person=" in link for link in links(page(as_owner, one)))
    one = UserFactory.create(phone_number=None)
    (usage,) = (link for link in links(page(as_owner, one)) if "usagerecord" in link)
    assert as_owner.get(usage).status_code == 200


def test_it_costs_the_same_however_much_there_is(as_owner: Client, person: User) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(as_owner, person)
        return len(captured)

    spend(person, 1)
    Conversation.objects.find_or_create(person, "bot-0")
    few = queries()
    for number in range(1, 10):
        spend(person, 1, days_ago=number)
        Conversation.objects.find_or_create(person, f"bot-{number}")
    assert queries() == few

"""What the simulator shows beside a chat, whom it finds, and the person who is over budget."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bot.models import Bot
from bot.queue import snapshot
from bot.simulator.queries import UNKNOWN_NUMBER
from bot.tests.simulator.asking import ALICE_NUMBER, about, found
from bot.tests.support.factories import BotFactory
from conversations.models import Conversation
from usage.days import today
from usage.models import DailySpend, UsageRecord
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def bot() -> Bot:
    created = BotFactory.create(slug="demo", user_daily_budget_micros=500_000)
    snapshot.forget()
    return created


@pytest.fixture
def alice() -> User:
    return UserFactory.create(phone_number=ALICE_NUMBER, name="Alice")


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(UserFactory.create(role=Role.ADMIN, is_whitelisted=False))
    return client


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(UserFactory.create(role=Role.OWNER, is_whitelisted=False))
    return client


def names(told: Any) -> list[str]:
    return [command["name"] for command in told["commands"]]


def test_it_tells_what_the_chat_has_cost_and_what_is_left_today(admin: Client, bot: Bot, alice: User) -> None:
    BotFactory.create(slug="other")
    for fields in (
        {"bot": "demo", "cost_micros": 1_500},
        {"bot": "demo", "cost_micros": 500},
        {"bot": "other", "cost_micros": 7},
    ):
        UsageRecord.objects.create(user=alice, model="gpt", input_tokens=1, output_tokens=1, **fields)
    DailySpend.objects.create(user=alice, day=today(), spent_micros=2_007, reserved_micros=3)
    told = about(admin)
    assert told["cost"] == "This chat has cost $0.002"
    assert told["budget"] == "Left today: $0.49799 of $0.50"
    assert told["over_budget"] is False
    UsageRecord.objects.create(user=alice, bot="demo", model="new", input_tokens=1, output_tokens=1, cost_micros=None)
    DailySpend.objects.update(spent_micros=500_000)
    told = about(admin)
    assert told["cost"] == "This chat has cost $0.002 + 1 call without a known price"
    assert (told["budget"], told["over_budget"]) == ("Left today: $0.00 of $0.50", True)
    Bot.objects.update(user_daily_budget_micros=None)
    snapshot.forget()
    assert about(admin)["budget"] == "No daily budget"


def test_it_says_that_the_bot_is_paused(admin: Client, bot: Bot, alice: User) -> None:
    assert about(admin)["paused"] == ""
    Bot.objects.pause_by_hand("Stocktaking")
    assert about(admin)["paused"] == "The bot is paused (Stocktaking): messages wait."


def test_it_lists_the_commands_of_the_persons_role(owner: Client, bot: Bot, alice: User) -> None:
    assert {"/help", "/reset", "/usage", "/export"} <= set(names(about(owner)))
    assert "/allow" not in names(about(owner))
    User.objects.update_role(alice, Role.ADMIN)
    assert "/allow" in names(about(owner))
    assert all(command["help"] for command in about(owner)["commands"])


def test_it_lists_no_command_that_would_be_refused(admin: Client, bot: Bot, alice: User) -> None:
    assert "/export" not in names(about(admin))
    assert "/reset" in names(about(admin))


def test_an_unknown_person_has_no_cost_and_few_commands(admin: Client, bot: Bot) -> None:
    told = about(admin, UNKNOWN_NUMBER)
    assert (told["cost"], told["known"], told["links"]) == ("", False, [])
    assert "/privacy" in names(told) and "/reset" not in names(told)


def test_it_leads_to_the_pages_that_the_visitor_may_see(client: Client, bot: Bot, alice: User, settings: Any) -> None:
    conversation = Conversation.objects.find_or_create(alice, "demo")
    transcript = reverse("admin:conversations_conversation_change", args=(conversation.pk,))
    person = reverse("admin:users_user_change", args=(alice.pk,))
    for role, expected in ((Role.OWNER, [transcript, person]), (Role.ADMIN, [person])):
        client.force_login(UserFactory.create(role=role))
        assert [link["url"] for link in about(client)["links"]] == expected
    client.logout()
    settings.DEBUG = True
    client.defaults["HTTP_HOST"] = "localhost:3000"
    assert about(client)["links"] == []


@pytest.mark.parametrize("path", ["/simulator/about/?bot=demo", "/simulator/people/?q=a"])
def test_it_is_for_staff_only(client: Client, bot: Bot, alice: User, path: str) -> None:
    assert client.get(path).status_code == 403
    client.force_login(alice)
    assert client.get(path).status_code == 403
    assert client.post(path).status_code in (403, 405)


def test_pages_need_as_few_queries_with_500_people_as_with_one(
    owner: Client, bot: Bot, alice: User, django_assert_num_queries: Any
) -> None:
    Conversation.objects.find_or_create(alice, "demo")
    for more in (0, 500):
        UserFactory.create_batch(more)
        about(owner)  # from now on this process knows the bots for some seconds
        # session, visitor; bots, people, the visitor as a person
        with django_assert_num_queries(5):
            owner.get("/")
        # session, visitor; person, pause, cost, budget, conversation
        with django_assert_num_queries(7):
            about(owner)
        # session, visitor; by name
        with django_assert_num_queries(3):
            found(owner, "ali")
        # …; the number in any spelling, its person, and numbers that begin so
        with django_assert_num_queries(5):
            found(owner, ALICE_NUMBER)

"""What the simulator shows beside a chat, whom it finds, and the person who is over budget."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bot.models import Bot, InboundMessage
from bot.queue import snapshot
from bot.simulator.overbudget import OVER_BUDGET_NUMBER, over_budget_person
from bot.simulator.queries import UNKNOWN_NUMBER
from bot.tests.support.factories import BotFactory
from bot.tests.support.fakes import ScriptedModel, work_until
from conversations.models import Conversation
from usage.days import today
from usage.models import DailySpend, UsageRecord
from usage.spending import EVERYBODY
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory

pytestmark = pytest.mark.django_db

ALICE_NUMBER = "+12025550101"


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


def about(client: Client, person: str = ALICE_NUMBER) -> Any:
    response = client.get("/simulator/about/", {"bot": "demo", "person": person})
    assert response.status_code == 200, response.content
    return response.json()


def send(client: Client, person: str, text: str = "Hello") -> Any:
    body = json.dumps({"bot": "demo", "person": person, "text": text})
    return client.post("/simulator/send/", body, content_type="application/json")


def names(told: Any) -> list[str]:
    return [command["name"] for command in told["commands"]]


# --- beside the chat ---


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


# --- whom one finds ---


def found(client: Client, asked: str) -> list[str]:
    return [person["label"] for person in client.get("/simulator/people/", {"q": asked}).json()["people"]]


def test_people_are_found_by_name_and_by_number_in_any_spelling(admin: Client, alice: User) -> None:
    UserFactory.create(phone_number="+4917100000001", name="Ann Blocked", is_whitelisted=False)
    ann = UserFactory.create(phone_number="+4917100000002", name="Ann")
    for asked in ("ann", "+4917100000002", "0049 171 0000 0002", "+49 171"):
        assert found(admin, asked) == [f"Ann · {ann.phone_number}"], asked
    for asked in ("(202) 555-0101", "0202 5550101", "50101", "ALI"):
        assert found(admin, asked) == [f"Alice · {ALICE_NUMBER}"], asked
    for asked in ("", "  ", "\x00", "zz", "x" * 5_000, "'; --"):
        assert found(admin, asked) == []


def test_a_search_finds_a_few_and_a_person_beyond_the_list_may_be_chosen(admin: Client, bot: Bot) -> None:
    UserFactory.create_batch(500)
    last = UserFactory.create(name="Zzyzx")
    assert str(last.phone_number) not in admin.get("/").content.decode()
    assert found(admin, "zzy") == [f"Zzyzx · {last.phone_number}"]
    assert len(found(admin, "+4917")) == 20
    assert send(admin, str(last.phone_number)).status_code == 201


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


# --- over budget ---


def test_somebody_over_budget_is_offered_and_made_only_when_they_write(admin: Client, bot: Bot) -> None:
    page = admin.get("/").content.decode()
    assert f'value="{OVER_BUDGET_NUMBER}"' in page
    assert about(admin, OVER_BUDGET_NUMBER)["known"] is False
    assert admin.get("/simulator/updates/", {"bot": "demo", "person": OVER_BUDGET_NUMBER}).json()["messages"] == []
    assert not User.objects.filter(phone_number=OVER_BUDGET_NUMBER).exists()
    for _ in range(2):
        assert send(admin, OVER_BUDGET_NUMBER).status_code == 201
    person = User.objects.get(phone_number=OVER_BUDGET_NUMBER)
    assert (person.role, person.is_staff, person.has_usable_password()) == (Role.USER, False, False)
    assert about(admin, OVER_BUDGET_NUMBER)["over_budget"] is True
    assert admin.get("/").content.decode().count(OVER_BUDGET_NUMBER) == 1
    assert not DailySpend.objects.of(EVERYBODY, today()).exists(), "nobody else's budget knows of it"


def test_who_may_not_add_people_makes_nobody_up(client: Client, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.simulator.rights.may", lambda user, permission: False)
    client.force_login(UserFactory.create(role=Role.ADMIN))
    response = send(client, OVER_BUDGET_NUMBER)
    assert response.status_code == 400 and "add people" in response.json()["error"]
    assert not InboundMessage.objects.exists()


def test_a_member_of_staff_with_that_number_is_left_alone(admin: Client, bot: Bot) -> None:
    staff = UserFactory.create(phone_number=OVER_BUDGET_NUMBER, role=Role.ADMIN, daily_budget_micros=7)
    assert send(admin, OVER_BUDGET_NUMBER).status_code == 400
    staff.refresh_from_db()
    assert staff.daily_budget_micros == 7


@pytest.mark.usefixtures("turns_db")
def test_they_are_told_so_even_by_a_model_that_costs_nothing(admin: Client, bot: Bot) -> None:
    model = ScriptedModel()
    send(admin, OVER_BUDGET_NUMBER)
    work_until(model=model)
    news = admin.get("/simulator/updates/", {"bot": "demo", "person": OVER_BUDGET_NUMBER}).json()
    assert [one["text"] for one in news["messages"]][-1] == "You've reached today's limit. Please try again tomorrow."
    assert model.history == []


def test_what_staff_changed_about_them_is_set_right(bot: Bot) -> None:
    person = over_budget_person()
    User.objects.filter(pk=person.pk).update(is_whitelisted=False, daily_budget_micros=None)
    DailySpend.objects.all().delete()
    again = over_budget_person()
    assert (again.pk, again.is_whitelisted, again.daily_budget_micros) == (person.pk, True, 0)
    assert DailySpend.objects.get().user_id == person.pk

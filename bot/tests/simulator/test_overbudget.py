"""Somebody over budget, for trying out what such people are told."""

import pytest
from django.test import Client

from bot.models import Bot, InboundMessage
from bot.queue import snapshot
from bot.simulator.overbudget import OVER_BUDGET_NUMBER, over_budget_person
from bot.tests.simulator.asking import about, send
from bot.tests.support.factories import BotFactory
from bot.tests.support.fakes import ScriptedModel, work_until
from usage.days import today
from usage.models import DailySpend
from usage.spending import EVERYBODY
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
def admin(client: Client) -> Client:
    client.force_login(UserFactory.create(role=Role.ADMIN, is_whitelisted=False))
    return client


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

"""Whom one finds and may choose to write as."""

import pytest
from django.test import Client

from bot.models import Bot
from bot.queue import snapshot
from bot.tests.simulator.asking import ALICE_NUMBER, found, send
from bot.tests.support.factories import BotFactory
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

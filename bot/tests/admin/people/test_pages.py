"""People's pages in the admin, with what they spent."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bot.tests.admin.people.spending import page
from users.models import User
from users.roles import Role
from users.tests.factories import UserFactory, alice, bob

pytestmark = pytest.mark.django_db

NUMBER = "+491711234567"
NO_IDENTITIES = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}


@pytest.fixture
def person(settings: Any) -> User:
    settings.USER_DAILY_BUDGET_MICROS = 1_000_000
    return bob(phone_number=NUMBER)


@pytest.fixture
def as_owner(client: Client) -> Client:
    client.force_login(alice())
    return client


@pytest.mark.parametrize(("typed", "micros"), [("0.50", 500_000), ("", None), ("0", 0), ("12.000001", 12_000_001)])
def test_the_budget_is_entered_in_dollars(as_owner: Client, person: User, typed: str, micros: int | None) -> None:
    data = {"phone_number": NUMBER, "name": "Bob", "role": "user", "daily_budget_micros": typed, **NO_IDENTITIES}
    assert as_owner.post(reverse("admin:users_user_change", args=(person.pk,)), data).status_code == 302
    person.refresh_from_db()
    assert person.daily_budget_micros == micros


def test_the_form_shows_the_budget_in_dollars_also_to_who_may_not_change_it(client: Client) -> None:
    owner = alice(daily_budget_micros=2_500_000)
    client.force_login(owner)
    assert 'value="2.50"' in page(client, owner)
    client.force_login(UserFactory.create(role=Role.ADMIN))
    shown = page(client, owner)
    assert "$2.50" in shown and "2500000" not in shown


def test_a_person_who_is_not_there_has_no_page(as_owner: Client) -> None:
    for key in ("999999", "nobody", "9" * 30):
        assert as_owner.get(reverse("admin:users_user_change", args=(key,))).status_code == 302

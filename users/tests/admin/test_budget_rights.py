"""Admins set people's budgets, owners also those of staff; and who changed one is written down."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from users.models import User
from users.roles import Role
from users.tests.admin.budgets import budget_of, entries
from users.tests.factories import UserFactory, alice, bob

pytestmark = pytest.mark.django_db

NO_IDENTITIES = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}


def submit(client: Client, person: User, dollars: str) -> Any:
    """Send the form of a person's page with an amount in it, whether or not the page has that field."""
    data = {"phone_number": person.phone_number or "", "name": person.name, "role": person.role, **NO_IDENTITIES}
    url = reverse("admin:users_user_change", args=(person.pk,))
    return client.post(url, {**data, "is_whitelisted": "on", "daily_budget_micros": dollars})


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_a_change_of_a_persons_budget_is_in_the_audit_log_with_both_amounts(client: Client, role: str) -> None:
    staff, person = UserFactory.create(role=role), bob(daily_budget_micros=500_000)
    client.force_login(staff)
    for dollars in ("2.50", "2.5", ""):
        assert submit(client, person, dollars).status_code == 302
    assert entries() == [
        (person.pk, staff.pk, "admin", {"before_micros": 500_000, "after_micros": 2_500_000}),
        (person.pk, staff.pk, "admin", {"before_micros": 2_500_000, "after_micros": None}),
    ]
    assert budget_of(person) is None


def test_an_admin_sets_neither_their_own_budget_nor_that_of_other_staff(client: Client) -> None:
    admin = UserFactory.create(role=Role.ADMIN, daily_budget_micros=100_000)
    others = [UserFactory.create(role=Role.ADMIN, daily_budget_micros=100_000), alice(daily_budget_micros=100_000)]
    client.force_login(admin)
    page = client.get(reverse("admin:users_user_change", args=(admin.pk,))).content.decode()
    assert 'name="daily_budget_micros"' not in page
    assert "$0.10" in page

    for person in (admin, *others):
        submit(client, person, "900")
        assert budget_of(person) == 100_000
    assert entries() == []


def test_an_owner_sets_everybodys_budget_their_own_included(client: Client) -> None:
    owner, admin = alice(), UserFactory.create(role=Role.ADMIN)
    client.force_login(owner)
    for person in (owner, admin):
        assert submit(client, person, "1").status_code == 302
        assert budget_of(person) == 1_000_000
    assert [(subject, actor) for subject, actor, *_ in entries()] == [(owner.pk, owner.pk), (admin.pk, owner.pk)]

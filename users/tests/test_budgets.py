"""Admins set people's budgets, owners also those of staff; and who changed one is written down."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from users.models import AuditEntry, User
from users.roles import Role
from users.tests.factories import UserFactory, alice, bob, charlie
from users.whitelist import By
from users.whitelist.applying import apply_people
from users.whitelist.reading import read_people

pytestmark = pytest.mark.django_db

NO_IDENTITIES = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}


def submit(client: Client, person: User, dollars: str) -> Any:
    """Send the form of a person's page with an amount in it, whether or not the page has that field."""
    data = {"phone_number": person.phone_number or "", "name": person.name, "role": person.role, **NO_IDENTITIES}
    url = reverse("admin:users_user_change", args=(person.pk,))
    return client.post(url, {**data, "is_whitelisted": "on", "daily_budget_micros": dollars})


def entries() -> list[Any]:
    found = AuditEntry.objects.filter(action=AuditEntry.Action.BUDGET).order_by("id")
    return list(found.values_list("subject", "actor", "via", "details"))


def budget_of(person: User) -> int | None:
    return User.objects.get(pk=person.pk).daily_budget_micros


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


def test_budgets_that_a_list_sets_are_in_the_audit_log_and_staff_are_left_alone() -> None:
    admin = UserFactory.create(role=Role.ADMIN, phone_number="+15551234560", daily_budget_micros=100_000)
    known = bob(phone_number="+15551234561", daily_budget_micros=500_000)
    same = charlie(phone_number="+15551234562", daily_budget_micros=1_000_000)
    lines = "phone_number,name,whitelisted,daily_budget_usd\n" + "".join(
        f"{number},,yes,{dollars}\n"
        for number, dollars in (
            ("+15551234560", 900), ("+15551234561", 2), ("+15551234562", 1), ("+15551234563", 3), ("+15551234564", ""),
        )
    )  # fmt: skip

    apply_people(read_people(lines.encode()), by=By(admin, "admin"))

    new = User.objects.get(phone_number="+15551234563")
    assert sorted(entries(), key=lambda entry: entry[0]) == [
        (known.pk, admin.pk, "admin", {"before_micros": 500_000, "after_micros": 2_000_000}),
        (new.pk, admin.pk, "admin", {"before_micros": None, "after_micros": 3_000_000}),
    ]
    assert budget_of(admin) == 100_000
    assert budget_of(same) == 1_000_000


def test_a_list_from_the_terminal_names_nobody_as_who_did_it() -> None:
    apply_people(read_people(b"phone_number,daily_budget_usd\n+15551234563,3\n"))
    person = User.objects.get(phone_number="+15551234563")
    assert entries() == [(person.pk, None, "command", {"before_micros": None, "after_micros": 3_000_000})]

"""Who changed whose budget is in the audit log, also by a list."""

import pytest

from users.models import User
from users.roles import Role
from users.tests.admin.budgets import budget_of, entries
from users.tests.factories import UserFactory, bob, charlie
from users.whitelist import By
from users.whitelist.applying import apply_people
from users.whitelist.reading import read_people

pytestmark = pytest.mark.django_db


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

"""What a list of people would change is told before anything does."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from users.models import User
from users.roles import Role
from users.tests.factories import alice, bob, charlie
from users.tests.whitelist.lists import everything, listed, many, reading
from users.whitelist import planning
from users.whitelist.applying import ImportRefused, apply_people
from users.whitelist.planning import Kind, make_plan

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
]

GERMAN = "+491711234567"


def test_the_plan_says_what_would_happen_and_changes_nothing():
    charlie(phone_number=GERMAN)
    bob(phone_number="+15551234567", daily_budget_micros=500_000)
    bob(phone_number="+15551234568")
    before = everything()
    plan = make_plan(
        reading(
            f"{GERMAN},,yes,",
            "+15551234567,Robert,no,2",
            "+15551234568,Bob,,",
            "+15550000001,Dana",
            "+15550000002,Eve,no,1.50",
        ).rows
    )
    assert plan.counts == {"created": 2, "allowed": 1, "removed": 1, "renamed": 1, "budget": 1, "unchanged": 1}
    assert plan.tallies[Kind.CREATED].samples == ["+15550000001 Dana", "+15550000002 Eve (not whitelisted)"]
    assert plan.tallies[Kind.RENAMED].samples == ["+15551234567 Bob → Robert"]
    assert plan.tallies[Kind.BUDGET].samples == ["+15551234567 Bob: $0.50 → $2.00"]
    assert everything() == before


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("+5531987654321", "+55 31 8765-4321"),
        ("+553187654321", "+5531987654321"),
        ("+5215512345678", "+525512345678"),
        ("+525512345678", "+5215512345678"),
        ("+5491123456789", "+541123456789"),
        ("+541123456789", "+5491123456789"),
    ],
)
def test_somebody_is_found_in_any_spelling_and_keeps_the_one_they_have(stored, asked):
    charlie(phone_number=stored)
    assert apply_people(reading(f"{asked},Charles,yes,1")).counts["created"] == 0
    assert listed() == [(stored, "Charles", True, 1_000_000)]


@pytest.mark.parametrize("person", [alice, lambda **fields: bob(role=Role.ADMIN, **fields)])
def test_an_owner_or_admin_is_never_changed_by_a_file(person, monkeypatch):
    monkeypatch.setattr(planning, "BATCH", 1)
    staff = person(phone_number=GERMAN)
    before = everything()
    blocking = reading("+15551234567,Dana", f"{GERMAN},,no,")
    plan = make_plan(blocking.rows)
    assert [str(note) for note in plan.errors.first] == [
        "line 3: an owner or admin is not removed from the whitelist by a file: take this line out"
    ]
    with pytest.raises(ImportRefused) as refused:
        apply_people(blocking)
    assert refused.value.errors.first == plan.errors.first
    assert everything() == before
    done = apply_people(reading(f"{GERMAN},Mallory,yes,9"))
    assert [note.line for note in done.warnings.first] == [2]
    assert done.counts["unchanged"] == 1
    done = apply_people(reading(f"{GERMAN},{staff.name},yes,"))
    assert not done.warnings.count
    assert everything() == before


def test_nobody_is_removed_who_is_not_in_the_file():
    bob()
    assert apply_people(reading(GERMAN)).counts["removed"] == 0
    assert User.objects.whitelisted().count() == 2


def test_people_are_compared_and_written_in_batches(monkeypatch):
    monkeypatch.setattr(planning, "BATCH", 10)

    def queries(function, *arguments):
        with CaptureQueriesContext(connection) as captured:
            function(*arguments)
        return len([query for query in captured if not re.search("SAVEPOINT|advisory_xact_lock", query["sql"])])

    # Who is there; of those who are not, whether the number is an address of somebody else; and the rows.
    assert queries(make_plan, many(10).rows) == 2
    assert queries(make_plan, many(40).rows) == 4 + 4
    # Those who are new are noted in the audit log.
    assert queries(apply_people, many(40)) == 4 + 4 + 4 + 4
    assert queries(apply_people, many(40)) == 4
    assert queries(apply_people, many(40, "Eve")) == 4 + 4
    assert User.objects.filter(name__startswith="Eve").count() == 40

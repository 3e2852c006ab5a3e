import logging
import threading

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from config.db.rows import insert_rows
from users.models import AuditEntry, User
from users.roles import Role
from users.tests.factories import UserFactory, alice, bob, charlie
from users.tests.together import together
from users.tests.whitelist.lists import listed, many, reading
from users.whitelist import By, applying, planning
from users.whitelist.applying import ImportFailed, ImportRefused, apply_people
from users.whitelist.planning import make_plan

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.promise("import", "two at once, a clash with another process"),
]

GERMAN = "+491711234567"
BOUNDED = settings(derandomize=True, deadline=None, database=None, max_examples=50)


def test_applying_does_what_the_plan_said():
    charlie(phone_number=GERMAN)
    bob(phone_number="+15551234567", daily_budget_micros=500_000)
    outside = bob(phone_number="+15559999999")
    lines = reading(f"{GERMAN}", "+15551234567,Robert,no,2", "+15550000001,Dana,,0", "+15550000002,,no,")
    assert apply_people(lines).counts == make_plan(lines.rows).counts | {
        "created": 2,
        "allowed": 1,
        "removed": 1,
        "renamed": 1,
        "budget": 1,
        "unchanged": 0,
    }
    assert listed() == [
        ("+15550000001", "Dana", True, 0),
        ("+15550000002", "", False, None),
        ("+15551234567", "Robert", False, 2_000_000),
        ("+15559999999", outside.name, True, None),
        (GERMAN, "Charlie", True, None),
    ]
    assert apply_people(lines).counts["unchanged"] == 4


def test_imported_people_are_like_others_who_only_chat():
    apply_people(many(3))
    made = User.objects.create_user("+15551234567", is_whitelisted=True)
    for person in User.objects.exclude(pk=made.pk):
        assert not person.has_usable_password()
        for field in ("role", "is_staff", "is_superuser", "is_active", "last_login", "daily_budget_micros"):
            assert getattr(person, field) == getattr(made, field)
        assert len(person.password) == len(made.password)
        person.full_clean(exclude=["phone_number"])
    assert User.objects.values("password").distinct().count() == 4


def test_who_is_changed_keeps_everything_else():
    person = bob(phone_number=GERMAN, password="correct horse", daily_budget_micros=7, is_whitelisted=False)
    unchanged = charlie(phone_number="+15551234567")
    apply_people(reading(f"{GERMAN},Robert", "+15551234567,Charlie,no"))
    before, untouched = person, unchanged.updated_at
    person = User.objects.get(pk=person.pk)
    assert (person.name, person.is_whitelisted, person.daily_budget_micros) == ("Robert", True, 7)
    assert person.check_password("correct horse")
    assert (person.created_at, person.role) == (before.created_at, before.role)
    assert person.updated_at > before.updated_at
    unchanged.refresh_from_db()
    assert unchanged.updated_at == untouched


def test_with_one_wrong_line_nothing_is_applied():
    with pytest.raises(ImportRefused) as refused:
        apply_people(reading(f"{GERMAN},Dana", "12,Eve"))
    assert [note.line for note in refused.value.errors.first] == [3]
    assert not User.objects.exists()


def test_replacing_removes_who_is_not_in_the_file_but_staff_and_people_without_a_number(monkeypatch):
    monkeypatch.setattr(applying, "BATCH", 2)
    stays = [
        alice(),
        bob(role=Role.ADMIN),
        UserFactory.create(phone_number=None),
        bob(phone_number="+5531987654321"),
        bob(phone_number=GERMAN),
    ]
    goes = UserFactory.create_batch(5)
    outside = charlie()
    lines = reading("+553187654321", GERMAN, "+15550000001,Dana")
    assert make_plan(lines.rows, replace=True).counts["removed"] == 5
    assert User.objects.whitelisted().count() == 10
    done = apply_people(lines, replace=True)
    assert (done.counts["removed"], done.counts["created"], done.counts["unchanged"]) == (5, 1, 2)
    assert set(User.objects.whitelisted()) == {*stays, User.objects.get(name="Dana")}
    assert set(User.objects.exclude(is_whitelisted=True)) == {*goes, outside}


def test_progress_is_told(monkeypatch):
    monkeypatch.setattr(planning, "BATCH", 10)
    told = []
    apply_people(many(25), progress=lambda done, total: told.append((done, total)))
    assert told == [(10, 25), (20, 25), (25, 25)]


def failing(error, times, monkeypatch):
    """Make writing fail in the second batch, so many times."""
    monkeypatch.setattr(planning, "BATCH", 2)
    calls = []

    def fail(model, rows, **options):
        if rows:
            calls.append(rows)
        if len(calls) % 2 == 0 and len(calls) <= times * 2 and rows:
            raise error
        return insert_rows(model, rows, **options)

    monkeypatch.setattr(applying, "insert_rows", fail)


@pytest.mark.parametrize("error", [IntegrityError("taken"), OperationalError("deadlock detected")])
def test_a_clash_with_another_process_is_tried_again_once(error, monkeypatch):
    failing(error, 1, monkeypatch)
    assert apply_people(many(4)).counts["created"] == 4
    assert User.objects.count() == 4


@pytest.mark.parametrize("error", [IntegrityError("taken"), OperationalError("deadlock detected")])
def test_after_two_clashes_nothing_is_applied_and_that_is_said(error, monkeypatch):
    failing(error, 2, monkeypatch)
    with pytest.raises(ImportFailed, match="Nothing was changed; try again"):
        apply_people(many(4))
    assert not User.objects.exists()


def at_the_same_time(monkeypatch, count):
    """Let each import see the people as they were before any of them wrote, where the database lets them."""
    if connection.vendor != "postgresql":  # SQLite's second writer waits before it reads
        return
    barrier, seen = threading.Barrier(count), threading.local()

    def wait(model, rows, **options):
        if not hasattr(seen, "waited"):
            seen.waited = True
            barrier.wait(10)
        return insert_rows(model, rows, **options)

    monkeypatch.setattr(applying, "insert_rows", wait)


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_the_same_new_people_at_once_make_each_person_once(monkeypatch):
    at_the_same_time(monkeypatch, 2)
    first = reading(*(f"+5531987{n:06},Dana" for n in range(654_000, 654_300)))
    second = reading(*(f"+553187{n:06},Dana" for n in reversed(range(654_000, 654_300))))
    results = together(lambda: apply_people(first), lambda: apply_people(second))
    assert sorted((r.counts["created"], r.counts["unchanged"]) for r in results) == [(0, 300), (300, 0)]
    assert User.objects.whitelisted().count() == User.objects.count() == 300


@pytest.mark.django_db(transaction=True)
def test_imports_that_change_the_same_people_at_once_wait_for_each_other(monkeypatch):
    monkeypatch.setattr(planning, "BATCH", 7)
    people = many(100)
    apply_people(people)
    backwards = reading(*(f"{row.number},Eve" for row in reversed(people.rows)))
    forwards = reading(*(f"{row.number},Ray" for row in people.rows))
    results = together(*(lambda lines=lines: apply_people(lines) for lines in (backwards, forwards) * 2))
    assert not [result for result in results if isinstance(result, Exception)]
    assert User.objects.values("name").distinct().count() == 1


@pytest.mark.django_db(transaction=True)
def test_somebody_who_becomes_an_admin_after_the_preview_is_not_changed():
    person = bob(phone_number=GERMAN)
    lines = reading(f"{GERMAN},,no,")
    assert make_plan(lines.rows).counts["removed"] == 1
    User.objects.update_role(person, Role.ADMIN)
    with pytest.raises(ImportRefused):
        apply_people(lines)
    person.refresh_from_db()
    assert person.is_whitelisted


@pytest.mark.django_db(transaction=True)
def test_people_stay_as_they_were_read_until_they_are_written(monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time.")
    person = bob(phone_number=GERMAN)
    results = []

    def promote():
        with transaction.atomic():
            User.objects.select_for_update(nowait=True).get(pk=person.pk)

    def write(model, rows, **options):
        results.extend(together(promote))
        return insert_rows(model, rows, **options)

    monkeypatch.setattr(applying, "insert_rows", write)
    apply_people(reading(f"{GERMAN},,no,"))
    assert [type(result) for result in results] == [OperationalError] * 2


def test_people_are_written_in_one_order_whatever_the_files(monkeypatch):
    orders = []

    def remember(model, rows, **options):
        orders.append([row["phone_number"] for row in rows])
        return list(zip(orders[-1], range(len(rows)), strict=True))

    monkeypatch.setattr(applying, "insert_rows", remember)
    lines = ["+5531987654321", "+553187654322", GERMAN, "+15551234567"]
    for each in (lines, reversed(lines)):
        apply_people(reading(*each))
    assert orders[0] == orders[2] == ["+15551234567", GERMAN, "+5531987654321", "+553187654322"]


def test_who_becomes_an_admin_while_others_are_replaced_stays():
    person = bob()

    def promote(done, total):
        User.objects.update_role(person, Role.ADMIN)

    apply_people(reading(GERMAN), replace=True, progress=promote)
    person.refresh_from_db()
    assert person.is_whitelisted


def test_the_log_has_counts_and_no_numbers_or_names(caplog):
    caplog.set_level(logging.INFO)
    owner = alice()
    apply_people(reading(f"{GERMAN},Dana"), by=By(owner, "admin"))
    (record,) = caplog.records
    assert (record.message, record.staff, record.replace) == ("people_imported", owner.pk, False)
    assert (record.people_created, record.people_removed) == (1, 0)
    assert "Dana" not in str(vars(record)) and "1711234567" not in str(vars(record))


def test_the_audit_log_says_whom_a_file_let_in_and_whom_it_blocked():
    owner = alice()
    people = {"in": charlie(phone_number=GERMAN), "out": bob(phone_number="+15551234567"), "gone": bob()}
    staying = bob(phone_number="+15551234569")
    lines = reading(GERMAN, "+15551234567,,no,", "+15551234568,Dana", "+15551234569", "+15551234570,Eve,no,")
    apply_people(lines, replace=True, by=By(owner, "admin"))
    noted = AuditEntry.objects.filter(actor=owner, via="admin").values_list("subject", "action")
    assert sorted(noted) == sorted(
        [
            (people["in"].pk, "allowed"),
            (User.objects.get(name="Dana").pk, "allowed"),
            (people["out"].pk, "blocked"),
            (people["gone"].pk, "blocked"),
        ]
    )
    assert User.objects.whitelisted().contains(staying)


NUMBERS = st.sampled_from([f"+1555000000{n}" for n in range(4)] + ["+5531987654321", "+5215512345678"])
LINES = st.dictionaries(NUMBERS, st.tuples(st.sampled_from(["", "Dana", "Eve"]), st.booleans()), min_size=1)


@BOUNDED
@given(first=LINES, second=LINES)
def test_whatever_two_files_say_the_second_holds_and_says_nothing_new_when_repeated(first, second):
    User.objects.all().delete()  # of the example before
    for lines in (first, second):
        content = reading(*(f"{number},{name},{'yes' if yes else 'no'}," for number, (name, yes) in lines.items()))
        planned = make_plan(content.rows).counts
        assert apply_people(content).counts == planned
        assert not make_plan(content.rows).changes_anything
    for number, (name, yes) in second.items():
        person = User.objects.get(phone_number=number)
        assert person.is_whitelisted is yes
        assert person.name == (name or first.get(number, ("",))[0])

import logging

import pytest

from users.models import User
from users.phone import InvalidPhoneNumber
from users.roles import Role
from users.tests.factories import UserFactory, bob, charlie
from users.tests.together import together
from users.whitelist import Outcome, allow, deny
from users.whitelist.rows import BadName

pytestmark = [pytest.mark.database, pytest.mark.django_db]

GERMAN = "+491711234567"
EQUIVALENT = [
    ("+5531987654321", "+553187654321"),
    ("+5215512345678", "+525512345678"),
    ("+5491123456789", "+541123456789"),
]


def test_an_unknown_number_becomes_a_person_who_may_chat_and_nothing_else():
    result = allow("0049 (0)171 123-4567", "  Dana \n Ray ")
    person = User.objects.get()
    assert (result.outcome, result.person) == (Outcome.CREATED, person)
    assert (person.phone_number, person.name, person.is_whitelisted) == (GERMAN, "Dana Ray", True)
    assert (person.role, person.is_staff, person.is_superuser) == (Role.USER, False, False)
    assert not person.has_usable_password()


def test_allowing_somebody_who_is_known_keeps_their_name_unless_one_is_given():
    person = charlie(phone_number=GERMAN)
    before = person.updated_at
    assert allow(GERMAN).outcome == Outcome.ALLOWED
    person.refresh_from_db()
    assert (person.name, person.is_whitelisted) == ("Charlie", True)
    assert person.updated_at > before
    renamed = allow(GERMAN, "Charles")
    assert (renamed.outcome, renamed.renamed) == (Outcome.ALREADY_ALLOWED, True)
    person.refresh_from_db()
    assert person.name == "Charles"


def test_allowing_twice_changes_nothing_the_second_time():
    allow(GERMAN, "Dana")
    person = User.objects.get()
    again = allow(GERMAN, "Dana")
    assert (again.outcome, again.person, again.renamed) == (Outcome.ALREADY_ALLOWED, person, False)
    assert User.objects.get().updated_at == person.updated_at


@pytest.mark.parametrize(("stored", "asked"), [*EQUIVALENT, *((b, a) for a, b in EQUIVALENT)])
def test_a_number_in_another_spelling_is_the_same_person(stored, asked):
    person = charlie(phone_number=stored)
    assert (allow(asked).outcome, allow(asked).outcome) == (Outcome.ALLOWED, Outcome.ALREADY_ALLOWED)
    assert deny(asked).outcome == Outcome.REMOVED
    assert list(User.objects.values_list("pk", "phone_number", "is_whitelisted")) == [(person.pk, stored, False)]


def test_denying_keeps_the_person_and_says_what_happened():
    person = bob(phone_number=GERMAN)
    assert (deny(GERMAN).outcome, deny(GERMAN).outcome) == (Outcome.REMOVED, Outcome.NOT_LISTED)
    person.refresh_from_db()
    assert (person.name, person.is_whitelisted) == ("Bob", False)
    assert deny("+15550000000").outcome == Outcome.UNKNOWN
    assert User.objects.count() == 1


@pytest.mark.parametrize("raw", ["", "call me", "12", "+1234567890123456"])
def test_an_unreadable_number_is_an_error_and_changes_nothing(raw):
    bob()
    for function in (allow, deny):
        with pytest.raises(InvalidPhoneNumber, match=r"\+491711234567"):
            function(raw)
    assert User.objects.whitelisted().count() == User.objects.count() == 1


def test_a_name_that_is_too_long_creates_nobody():
    with pytest.raises(BadName, match="at most 200 characters; this has 201"):
        allow(GERMAN, "x" * 201)
    assert not User.objects.exists()
    assert allow(GERMAN, "x" * 200).outcome == Outcome.CREATED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("numbers", [(GERMAN, "0049 171 1234567"), *EQUIVALENT])
def test_two_processes_that_allow_two_spellings_of_a_number_make_one_person(numbers):
    results = together(*(lambda number=number: allow(number) for number in numbers * 2))
    assert sorted(result.outcome for result in results) == ["already_allowed"] * 3 + ["created"]
    assert User.objects.get().is_whitelisted


@pytest.mark.django_db(transaction=True)
def test_of_two_who_allow_somebody_at_once_one_did_it():
    charlie(phone_number=GERMAN)
    results = together(*[lambda: allow(GERMAN)] * 3)
    assert sorted(result.outcome for result in results) == ["allowed", "already_allowed", "already_allowed"]


def test_the_log_names_the_person_by_id_only(caplog):
    caplog.set_level(logging.INFO)
    person = UserFactory.create(phone_number=GERMAN, name="Secretive", is_whitelisted=False)
    allow(GERMAN)
    deny(GERMAN)
    deny(GERMAN)
    assert [(record.message, record.person) for record in caplog.records] == [
        ("person_allowed", person.pk),
        ("person_denied", person.pk),
    ]
    assert not any("1711234567" in str(vars(record)) or "Secretive" in str(vars(record)) for record in caplog.records)

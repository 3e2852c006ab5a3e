import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError

from users.errors import AddressTaken, DuplicatePhoneNumber
from users.models import Identity, User
from users.phone import InvalidPhoneNumber
from users.roles import Role
from users.tests.factories import IdentityFactory, UserFactory, alice, bob, charlie
from users.tests.together import together

pytestmark = [pytest.mark.database, pytest.mark.django_db]

GERMAN = "+491711234567"
EQUIVALENT = [
    ("+5531987654321", "+553187654321"),
    ("+5215512345678", "+525512345678"),
    ("+5491123456789", "+541123456789"),
]


@pytest.mark.parametrize("raw", ["+49 (0)171 123-4567", "0049171 1234567", "whatsapp:+491711234567", "+٤٩١٧١١٢٣٤٥٦٧"])
def test_a_person_is_created_with_the_normalised_number(raw):
    assert User.objects.create_user(raw).phone_number == GERMAN
    assert User.objects.get().phone_number == GERMAN


def test_a_new_person_may_do_nothing_yet():
    user = User.objects.create_user(GERMAN)
    assert (user.role, user.is_whitelisted, user.is_staff, user.is_superuser) == (Role.USER, False, False, False)
    assert user.daily_budget_micros is None
    assert not user.has_usable_password()


def test_a_person_created_with_a_password_signs_in_with_any_spelling():
    user = User.objects.create_user(GERMAN, "correct horse")
    assert authenticate(username="0049 171 1234567", password="correct horse") == user
    assert authenticate(username="0049 171 1234567", password="wrong") is None
    assert authenticate(username="nobody", password="correct horse") is None
    assert authenticate(username="", password="correct horse") is None


def test_people_known_by_identities_alone_have_no_number():
    first, second = User.objects.create_user(None, name="Dana"), User.objects.create_user(None)
    assert first.phone_number is second.phone_number is None
    assert (str(first), str(second)) == ("Dana", f"person {second.pk}")


@pytest.mark.parametrize("raw", ["", "call me", "12", "+1234567890123456"])
def test_an_unreadable_number_creates_nobody(raw):
    with pytest.raises(InvalidPhoneNumber):
        User.objects.create_user(raw)
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("first", "second"), [(GERMAN, "0049 171 1234567"), *EQUIVALENT, *((b, a) for a, b in EQUIVALENT)]
)
def test_a_number_in_another_spelling_is_a_duplicate(first, second):
    User.objects.create_user(first)
    with pytest.raises(DuplicatePhoneNumber, match="already"):
        User.objects.create_user(second)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("mobile", "landline"), [("+5531932345678", "+553132345678"), ("+5531987654321", "+553132345678")]
)
def test_a_landline_and_a_mobile_number_are_two_people(mobile, landline):
    User.objects.create_user(mobile)
    User.objects.create_user(landline)
    assert User.objects.count() == 2


def test_another_broken_constraint_is_not_reported_as_a_duplicate():
    taken = bob()
    with pytest.raises(IntegrityError):
        User.objects.create_user("+15551234567", pk=taken.pk)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("numbers", [(GERMAN, "0049 171 1234567"), *EQUIVALENT])
def test_of_two_processes_that_create_the_same_person_one_wins_and_the_other_is_told(numbers):
    results = together(*(lambda number=number: User.objects.create_user(number) for number in numbers))
    assert sorted(type(result).__name__ for result in results) == ["DuplicatePhoneNumber", "User"]
    assert User.objects.count() == 1


def test_the_owner_may_do_everything():
    owner = User.objects.create_superuser("+49 171 1234567", "correct horse", name="Alice")
    assert (owner.role, owner.is_staff, owner.is_superuser, owner.name) == (Role.OWNER, True, True, "Alice")
    assert owner.check_password("correct horse")


def test_createsuperuser_takes_any_spelling(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse")
    call_command("createsuperuser", phone_number="0049171 1234567", interactive=False, verbosity=0)
    assert User.objects.get().phone_number == GERMAN


def test_whitelisting_is_kept_and_changes_nothing_else():
    person, other = charlie(), bob(is_whitelisted=False)
    before = person.updated_at
    stale = User.objects.get(pk=person.pk)
    User.objects.filter(pk=person.pk).update(name="Charles")
    User.objects.update_whitelist(stale, True)
    person.refresh_from_db()
    assert (person.is_whitelisted, person.name) == (True, "Charles")
    assert person.updated_at > before
    assert list(User.objects.whitelisted()) == [person]
    User.objects.update_whitelist(person, False)
    assert other not in User.objects.whitelisted()
    assert not User.objects.whitelisted().exists()


def test_linking_an_identity_twice_changes_nothing():
    person = bob()
    first = User.objects.link_identity(person, "telegram", "700700")
    assert User.objects.link_identity(person, "telegram", "700700") == first
    assert Identity.objects.count() == 1
    assert User.objects.for_identity("telegram", "700700") == person


def test_a_persons_own_number_can_be_linked():
    person = bob(phone_number=GERMAN)
    assert User.objects.link_identity(person, "whatsapp", GERMAN).user == person


@pytest.mark.parametrize("address", ["700700", GERMAN, "+5531987654321"])
def test_an_address_of_somebody_else_cannot_be_linked(address):
    IdentityFactory.create(user=bob(), channel="telegram", address="700700")
    UserFactory.create(phone_number=GERMAN)
    UserFactory.create(phone_number="+553187654321")
    with pytest.raises(AddressTaken, match="somebody else"):
        User.objects.link_identity(charlie(), "telegram", address)
    assert Identity.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_link_one_address_at_once_one_gets_it():
    people = [bob(), charlie()]
    results = together(*(lambda p=p: User.objects.link_identity(p, "telegram", "700700") for p in people))
    assert sorted(type(result).__name__ for result in results) == ["AddressTaken", "Identity"]
    assert Identity.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_person_linking_an_address_twice_at_once_gets_it_once():
    person = bob()
    results = together(*[lambda: User.objects.link_identity(person, "telegram", "700700")] * 3)
    assert {type(result).__name__ for result in results} == {"Identity"}
    assert Identity.objects.count() == 1


def test_cleaning_normalises_the_number_and_makes_a_blank_one_none():
    person = User(phone_number="0049 1711234567", password="!")
    person.full_clean()
    assert person.phone_number == GERMAN
    blank = User(phone_number="", password="!")
    blank.full_clean()
    assert blank.phone_number is None


@pytest.mark.parametrize("number", ["letters", "12", "+491711234567"])
def test_cleaning_refuses_an_unreadable_or_taken_number(number):
    bob(phone_number=GERMAN)
    with pytest.raises(ValidationError) as caught:
        User(phone_number=number, password="!").full_clean()
    assert "phone_number" in caught.value.message_dict


def test_cleaning_refuses_an_equivalent_number():
    bob(phone_number="+5531987654321")
    with pytest.raises(ValidationError, match="another spelling"):
        User(phone_number="+553187654321", password="!").full_clean()


def test_clean_alone_reports_an_unreadable_number():
    with pytest.raises(ValidationError, match="letters"):
        User(phone_number="letters").clean()


def test_a_persons_text_never_shows_the_whole_number():
    person = alice(phone_number=GERMAN)
    identity = IdentityFactory.create(user=person, channel="whatsapp", address=GERMAN)
    assert str(person) == "Alice (+49…67)"
    assert str(UserFactory.create(name="", phone_number="+15551234567")) == "+1…67"
    assert GERMAN not in str(identity)


def test_asynchronous_code_finds_people_the_same_way():
    from asgiref.sync import async_to_sync

    person = bob(phone_number=GERMAN)
    assert async_to_sync(User.objects.aget_by_natural_key)("0049 171 1234567") == person

"""The admin's forms about people: any spelling of a number, and errors that say what is wrong."""

import pytest
from django.urls import reverse

from users.admin.forms import PersonCreationForm
from users.models import AuditEntry, User
from users.tests.admin.people_pages import NO_IDENTITIES, change, person_form, texts
from users.tests.factories import alice, bob, charlie

pytestmark = [pytest.mark.database, pytest.mark.django_db]

GERMAN = "+491711234567"
LIST = reverse("admin:users_user_changelist")
ADD = reverse("admin:users_user_add")


@pytest.fixture
def as_alice(client):
    client.force_login(alice())
    return client


def errors(response):
    return response.context["adminform"].form.errors


@pytest.mark.parametrize("spelling", [GERMAN, "+49 (0)171 123-4567", "0049 171 1234567"])
def test_staff_sign_in_with_any_spelling_of_their_number(client, spelling):
    alice(phone_number=GERMAN)
    response = client.post(reverse("admin:login"), {"username": spelling, "password": "correct horse"})
    assert response.status_code == 302
    assert client.get(LIST).status_code == 200


def test_the_login_form_has_room_for_any_spelling(client):
    field = client.get(reverse("admin:login")).context["form"]["username"]
    assert 'maxlength="64"' in str(field)
    assert 'type="tel"' in str(field)


def test_a_person_is_added_with_a_number_in_any_spelling_and_no_password(as_alice):
    data = {"phone_number": "+49 (0)171 123-4567", "name": "Dana", "role": "user", "is_whitelisted": "on"}
    response = as_alice.post(ADD, {**data, **NO_IDENTITIES})
    person = User.objects.get(name="Dana")
    assert response.url == change(person)
    assert (person.phone_number, person.is_whitelisted, person.is_staff) == (GERMAN, True, False)
    assert not person.has_usable_password()
    assert not any("does not look" in text for text in texts(response))


def test_the_form_lets_in_who_is_added_and_says_so(as_alice):
    page = as_alice.get(ADD)
    assert page.context["adminform"].form["is_whitelisted"].value() is True
    data = {"phone_number": GERMAN, "name": "Dana", "role": "user", "is_whitelisted": "on"}
    response = as_alice.post(ADD, {**data, **NO_IDENTITIES})
    assert any("Dana" in text and "may write to the bots from now on" in text for text in texts(response))
    entry = AuditEntry.objects.get(action="allowed")
    assert (entry.subject, entry.via) == (User.objects.get(name="Dana").pk, "admin")


def test_who_is_added_without_being_let_in_is_said_to_be_unanswered(as_alice):
    response = as_alice.post(ADD, {"phone_number": GERMAN, "name": "Dana", "role": "user", **NO_IDENTITIES})
    assert any("Dana" in text and "not on the whitelist" in text for text in texts(response))
    assert not User.objects.get(name="Dana").is_whitelisted
    assert not AuditEntry.objects.filter(action="allowed").exists()


@pytest.mark.parametrize("address", ["", "   "])
def test_nobody_is_added_who_could_not_write(as_alice, address):
    rows = {**NO_IDENTITIES, "identities-TOTAL_FORMS": "1", "identities-0-address": address}
    response = as_alice.post(ADD, {"phone_number": "", "name": "Dana", "role": "user", **rows})
    assert "Enter a phone number, or an address below" in response.content.decode()
    assert not User.objects.filter(name="Dana").exists()


@pytest.mark.parametrize("number", ["+212522940770/74", "+49 30 123456-0/-12"])
def test_two_numbers_in_the_field_are_refused(as_alice, number):
    response = as_alice.post(ADD, {"phone_number": number, "name": "Dana", "role": "user", **NO_IDENTITIES})
    assert "These are two numbers" in response.content.decode()
    assert not User.objects.filter(name="Dana").exists()


def test_a_colleague_is_added_with_a_password_and_a_role(as_alice):
    data = {"phone_number": GERMAN, "role": "admin", "password1": "battery staple 1", "password2": "battery staple 1"}
    as_alice.post(ADD, {**data, **NO_IDENTITIES})
    person = User.objects.get(phone_number=GERMAN)
    assert person.check_password("battery staple 1")
    assert (person.role, person.is_staff, person.is_superuser) == ("admin", True, False)


@pytest.mark.parametrize(
    ("password1", "password2"),
    [("battery staple 1", ""), ("", "battery staple 1"), ("battery staple 1", "other"), ("a", "a")],
)
def test_a_password_that_differs_or_is_weak_adds_nobody(as_alice, password1, password2):
    data = {"phone_number": GERMAN, "role": "user", "password1": password1, "password2": password2}
    response = as_alice.post(ADD, {**data, **NO_IDENTITIES})
    assert "password2" in errors(response)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("number", "complaint"),
    [
        ("+491711234567", "already the phone number of Bob"),
        ("0049 (0)171 1234567", "already the phone number of Bob"),
        ("1-800-FLOWERS", "no letters"),
        ("+12", "4 to 15 digits"),
        ("0171 1234567", "no country code"),
        ("1" * 100, "at most 64"),
    ],
)
def test_a_taken_or_unreadable_number_is_a_clear_form_error(as_alice, number, complaint):
    bob(phone_number=GERMAN)
    response = as_alice.post(ADD, {"phone_number": number, "role": "user", **NO_IDENTITIES})
    assert complaint in str(errors(response)["phone_number"])
    assert list(errors(response)) == ["phone_number"]
    assert User.objects.count() == 2


def test_an_equivalent_number_is_a_form_error_when_changing_somebody(as_alice):
    bob(phone_number="+5531987654321")
    person = charlie()
    response = as_alice.post(change(person), person_form(person, phone_number="+55 31 8765-4321"))
    assert "already the phone number of Bob" in str(errors(response)["phone_number"])


def test_saving_somebody_unchanged_is_no_duplicate(as_alice):
    person = bob(phone_number="+5531987654321")
    assert as_alice.post(change(person), person_form(person)).status_code == 302
    assert as_alice.post(change(person), person_form(person, phone_number="+55 31 8765-4321")).status_code == 302
    person.refresh_from_db()
    assert person.phone_number == "+553187654321"


def test_a_number_that_cannot_exist_is_saved_with_a_warning(as_alice):
    response = as_alice.post(ADD, {"phone_number": "+1234567890", "role": "user", **NO_IDENTITIES})
    person = User.objects.get(phone_number="+1234567890")
    assert any("+1234567890 does not look like a number that exists" in text for text in texts(response))
    as_alice.get(LIST)  # shows the messages so far
    again = as_alice.post(change(person), person_form(person, name="Test"))
    assert not any("does not look" in text for text in texts(again))


def test_the_form_saves_a_person_outside_the_admin_too():
    form = PersonCreationForm({"phone_number": "0049 1711234567", "role": "user"})
    assert form.save() == User.objects.get(phone_number=GERMAN)

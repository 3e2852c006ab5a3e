import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.desk import paginator
from users.admin.forms import PersonCreationForm
from users.models import AuditEntry, Identity, User
from users.roles import Role
from users.tests.factories import IdentityFactory, UserFactory, alice, bob, charlie

pytestmark = [pytest.mark.database, pytest.mark.django_db]

GERMAN = "+491711234567"
LIST = reverse("admin:users_user_changelist")
ADD = reverse("admin:users_user_add")
NO_IDENTITIES = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}


@pytest.fixture
def as_alice(client):
    client.force_login(alice())
    return client


@pytest.fixture
def as_staff(client):
    """Somebody who may edit people, and is no owner."""
    staff = bob(role=Role.ADMIN)
    staff.user_permissions.set(Permission.objects.filter(content_type__app_label="users"))
    client.force_login(staff)
    return client


def change(person):
    return reverse("admin:users_user_change", args=[person.pk])


def texts(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def errors(response):
    return response.context["adminform"].form.errors


def person_form(person, **changes):
    data = {"phone_number": person.phone_number or "", "name": person.name, "role": person.role}
    return {**data, **NO_IDENTITIES, **changes}


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


@pytest.mark.parametrize(
    ("spelling", "password"),
    [(GERMAN, "wrong"), ("+15550000000", "correct horse"), ("nonsense", "correct horse"), ("", "")],
)
def test_a_wrong_sign_in_is_refused(client, spelling, password):
    alice(phone_number=GERMAN)
    response = client.post(reverse("admin:login"), {"username": spelling, "password": password})
    assert response.context["form"].errors


def test_who_only_chats_cannot_sign_in(client):
    bob(phone_number=GERMAN, password="correct horse")
    response = client.post(reverse("admin:login"), {"username": GERMAN, "password": "correct horse"})
    assert response.context["form"].errors


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


def test_several_people_without_a_number_can_be_added_each_with_an_address(as_alice):
    for name in ("Dana", "Eve"):
        rows = {**NO_IDENTITIES, "identities-TOTAL_FORMS": "1", "identities-0-channel": "telegram"}
        data = {"phone_number": "", "name": name, "role": "user", **rows, "identities-0-address": f"7007{len(name)}"}
        as_alice.post(ADD, data)
    assert Identity.objects.count() == 2
    assert list(User.objects.filter(phone_number=None).order_by("name").values_list("name", flat=True)) == [
        "Dana",
        "Eve",
    ]


def test_the_flags_follow_from_the_role_that_is_chosen(as_alice):
    person = bob()
    as_alice.post(change(person), person_form(person, role="owner"))
    person.refresh_from_db()
    assert (person.is_staff, person.is_superuser) == (True, True)
    as_alice.post(change(person), person_form(person, role="user"))
    person.refresh_from_db()
    assert (person.is_staff, person.is_superuser) == (False, False)


def test_an_identity_is_added_and_one_of_somebody_else_is_a_clear_error(as_alice):
    person = charlie()
    IdentityFactory.create(user=bob(), channel="telegram", address="700700")
    rows = {"identities-TOTAL_FORMS": "1", "identities-INITIAL_FORMS": "0", "identities-0-channel": "telegram"}
    taken = as_alice.post(change(person), person_form(person, **rows, **{"identities-0-address": "700700"}))
    assert "belongs to somebody already" in taken.content.decode()
    assert (
        as_alice.post(change(person), person_form(person, **rows, **{"identities-0-address": "1"})).status_code == 302
    )
    assert Identity.objects.get(user=person).address == "1"


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("Bob", {"Bob"}),
        ("bo", {"Bob"}),
        (GERMAN, {"Bob"}),
        ("0049 (0)171 123-4567", {"Bob"}),
        ("+55 31 8765 4321", {"Charlie"}),
        ("1711234", {"Bob"}),
        ("700700", {"Charlie"}),
        ("nobody", set()),
        ("", {"Alice", "Bob", "Charlie"}),
    ],
)
def test_people_are_found_by_name_address_and_any_spelling_of_a_number(as_alice, term, found):
    bob(phone_number=GERMAN)
    person = charlie(phone_number="+5531987654321")
    IdentityFactory.create(user=person, address="700700")
    IdentityFactory.create(user=person)
    people = as_alice.get(LIST, {"q": term}).context["cl"].result_list
    assert sorted(user.name for user in people) == sorted(found)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"role__exact": "owner"}, {"Alice"}),
        ({"is_whitelisted__exact": "0"}, {"Charlie"}),
        ({"is_staff__exact": "1"}, {"Alice"}),
    ],
)
def test_people_are_filtered(as_alice, query, found):
    bob()
    charlie()
    assert {user.name for user in as_alice.get(LIST, query).context["cl"].result_list} == found


@pytest.mark.parametrize(
    ("action", "allowed", "text"),
    [
        ("allow", True, "2 people were added to the whitelist."),
        ("block", False, "1 person was removed from the whitelist."),
    ],
)
def test_the_actions_allow_and_block_and_say_how_many(as_alice, action, allowed, text):
    people = [bob(), charlie(), charlie()]
    outside = UserFactory.create(is_whitelisted=not allowed)
    chosen = {"action": action, "_selected_action": [person.pk for person in people]}
    response = as_alice.post(LIST, {**chosen, "confirmed": "1"})
    assert texts(response) == [text]
    assert set(User.objects.filter(pk__in=[p.pk for p in people]).values_list("is_whitelisted", flat=True)) == {allowed}
    outside.refresh_from_db()
    assert outside.is_whitelisted is not allowed


def test_an_action_works_on_what_a_search_found(as_alice):
    person = charlie()
    IdentityFactory.create(user=person, address="700700")
    response = as_alice.post(f"{LIST}?q=700700", {"action": "allow", "_selected_action": [person.pk], "confirmed": "1"})
    assert texts(response) == ["1 person was added to the whitelist."]


def test_the_list_takes_the_same_number_of_queries_for_many_people(as_alice):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            as_alice.get(LIST)
        return len(captured)

    bob()
    few = queries()
    for person in UserFactory.create_batch(10):
        IdentityFactory.create(user=person)
    assert queries() == few


def test_who_is_no_owner_gives_nobody_more_rights(as_staff):
    me = User.objects.get(role=Role.ADMIN)
    as_staff.post(change(me), person_form(me, role="owner", groups=[], user_permissions=[], name="Robert"))
    as_staff.post(ADD, {"phone_number": GERMAN, "role": "owner", **NO_IDENTITIES})
    me.refresh_from_db()
    assert (me.name, me.role, me.is_superuser) == ("Robert", Role.ADMIN, False)
    assert me.user_permissions.exists()
    assert User.objects.get(phone_number=GERMAN).role == Role.USER


def test_who_is_no_owner_cannot_touch_an_owner(as_staff):
    owner = alice()
    assert as_staff.get(change(owner)).context["has_change_permission"] is False
    assert as_staff.post(change(owner), person_form(owner, name="Mallory")).status_code == 403
    passwords = {"password1": "battery staple 1", "password2": "battery staple 1", "usable_password": "true"}
    assert as_staff.post(reverse("admin:auth_user_password_change", args=[owner.pk]), passwords).status_code == 403
    assert as_staff.post(reverse("admin:users_user_delete", args=[owner.pk]), {"post": "yes"}).status_code == 403
    as_staff.post(LIST, {"action": "delete_selected", "_selected_action": [owner.pk], "post": "yes"})
    owner.refresh_from_db()
    assert (owner.name, owner.check_password("correct horse")) == ("Alice", True)


def test_an_owner_sets_a_password_for_somebody(as_alice):
    person = bob()
    url = reverse("admin:auth_user_password_change", args=[person.pk])
    data = {"password1": "battery staple 1", "password2": "battery staple 1", "usable_password": "true"}
    assert as_alice.get(url).status_code == 200
    assert as_alice.post(url, data).status_code == 302
    person.refresh_from_db()
    assert person.check_password("battery staple 1")


def test_the_admins_history_holds_no_whole_number(as_alice):
    as_alice.post(ADD, {"phone_number": GERMAN, "name": "Dana", "role": "user", **NO_IDENTITIES})
    assert GERMAN not in LogEntry.objects.get().object_repr


def test_pages_reach_no_further_than_counting_is_cheap(monkeypatch):
    UserFactory.create_batch(5)
    people = User.objects.order_by("pk")
    assert paginator.CappedPaginator(people, 2).num_pages == 3
    monkeypatch.setattr(paginator, "MOST", 4)
    capped = paginator.CappedPaginator(people, 2)
    assert (capped.count, capped.num_pages) == (4, 2)

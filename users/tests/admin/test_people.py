import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.desk import paginator
from users.models import Identity, User
from users.roles import Role
from users.tests.admin.people_pages import NO_IDENTITIES, change, person_form, texts
from users.tests.factories import IdentityFactory, UserFactory, alice, bob, charlie

pytestmark = [pytest.mark.database, pytest.mark.django_db]

GERMAN = "+491711234567"
LIST = reverse("admin:users_user_changelist")
ADD = reverse("admin:users_user_add")


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

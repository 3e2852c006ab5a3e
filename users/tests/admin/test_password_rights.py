"""Who sets whose password."""

import pytest
from django.urls import reverse

from users.models import User
from users.roles import Role
from users.tests.admin.people_pages import signed_in
from users.tests.factories import alice, bob, charlie

pytestmark = [pytest.mark.database, pytest.mark.django_db]

PLANTED = "a planted password"
NO_IDENTITIES = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}


@pytest.fixture
def as_alice(client):
    client.force_login(alice())
    return client


def test_an_owner_sets_a_password_for_somebody(as_alice):
    person = bob()
    url = reverse("admin:auth_user_password_change", args=[person.pk])
    data = {"password1": "battery staple 1", "password2": "battery staple 1", "usable_password": "true"}
    assert as_alice.get(url).status_code == 200
    assert as_alice.post(url, data).status_code == 302
    person.refresh_from_db()
    assert person.check_password("battery staple 1")


def test_an_owner_who_adds_a_colleague_gives_them_a_password() -> None:
    owner = signed_in(alice())
    fields = {"phone_number": "+4915155500900", "name": "Cora", "is_whitelisted": "on", "role": "admin"}
    password = {"password1": "quite a long horse", "password2": "quite a long horse"}
    owner.post("/admin/users/user/add/", {**fields, **password, **NO_IDENTITIES})
    assert User.objects.get(name="Cora").check_password("quite a long horse")


def test_an_admin_sets_no_password_but_their_own() -> None:
    admin, person = bob(role=Role.ADMIN), charlie()
    client = signed_in(admin)
    new = {"password1": PLANTED, "password2": PLANTED, "usable_password": "true"}
    assert client.post(f"/admin/users/user/{person.pk}/password/", new).status_code == 403
    client.post("/admin/users/user/add/", {"phone_number": "+4915155500900", "name": "Cora", **new, **NO_IDENTITIES})
    assert not User.objects.get(name="Cora").has_usable_password()
    person.refresh_from_db()
    assert not person.has_usable_password()
    assert client.get(f"/admin/users/user/{admin.pk}/password/").status_code == 200

"""Who becomes staff brings nothing along that somebody else has prepared: no password, no right of before."""

import pytest
from django.test import Client

from users.invites import Outcome, create_invite, redeem
from users.models import Identity, User
from users.roles import Role
from users.tests.admin.people_pages import signed_in
from users.tests.factories import alice, bob, charlie

pytestmark = pytest.mark.django_db

PLANTED = "a planted password"
NO_IDENTITIES = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}


def form_of(client: Client, person: User, **changed: str) -> dict[str, str]:
    fields = {"phone_number": str(person.phone_number), "name": person.name, "role": person.role, **changed}
    return {**fields, **NO_IDENTITIES, "is_whitelisted": "on"}


def test_a_password_of_before_is_none_of_a_new_colleague() -> None:
    person = charlie()
    person.set_password(PLANTED)
    person.save()
    owner = signed_in(alice())

    page = owner.post(f"/admin/users/user/{person.pk}/change/", form_of(owner, person, role="owner"), follow=True)

    person.refresh_from_db()
    assert person.role == Role.OWNER and not person.has_usable_password()
    assert "has no password yet" in page.content.decode()
    assert not Client().login(username=str(person.phone_number), password=PLANTED)


def test_who_makes_somebody_staff_is_told_from_where_they_give_commands() -> None:
    person = charlie()
    Identity.objects.create(user=person, channel="whatsapp", address="DE.12345678")
    owner = signed_in(alice())
    page = owner.post(
        f"/admin/users/user/{person.pk}/change/",
        {
            **form_of(owner, person, role="admin"),
            "identities-TOTAL_FORMS": "1",
            "identities-INITIAL_FORMS": "1",
            "identities-0-id": str(person.identities.get().pk),
            "identities-0-user": str(person.pk),
            "identities-0-channel": "whatsapp",
            "identities-0-address": "DE.12345678",
        },
        follow=True,
    )
    assert "whatsapp DE.12345678" in page.content.decode()
    assert "Are all of them theirs?" in page.content.decode()


def test_a_blocked_admin_does_not_let_themselves_in() -> None:
    admin = bob(role=Role.ADMIN, is_whitelisted=False)
    client = signed_in(admin)
    client.post(f"/admin/users/user/{admin.pk}/change/", form_of(client, admin))
    admin.refresh_from_db()
    assert not admin.is_whitelisted


def test_the_codes_of_who_is_no_admin_any_more_let_nobody_in() -> None:
    admin = bob(role=Role.ADMIN)
    invite = create_invite(created_by=admin)
    User.objects.update_role(admin, Role.USER)
    assert redeem(invite.code, "console", "+4915155500901", None, "").outcome is Outcome.INVALID

"""There is always an owner, whatever is tried and however many try at once."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from users.errors import LastOwner
from users.models import User
from users.roles import Role
from users.tests.factories import alice, bob
from users.tests.together import together

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.promise("owners", "two remove each other at once"),
]

NO_IDENTITIES = {"identities-TOTAL_FORMS": "0", "identities-INITIAL_FORMS": "0"}
LIST = reverse("admin:users_user_changelist")


def owners() -> list[str]:
    return sorted(User.objects.filter(role=Role.OWNER).values_list("name", flat=True))


@pytest.fixture
def as_alice(client):
    client.force_login(alice())
    return client


def test_the_last_owner_is_neither_demoted_nor_deleted():
    last = alice()
    bob(role=Role.ADMIN)
    for attempt in (
        lambda: User.objects.update_role(last, Role.ADMIN),
        lambda: last.delete(),
        lambda: User.objects.all().delete(),
        lambda: User.objects.filter(role=Role.OWNER).delete(),
    ):
        with pytest.raises(LastOwner, match="Make somebody else an owner first"):
            attempt()
    last.refresh_from_db()
    assert (last.role, last.is_superuser, User.objects.count()) == (Role.OWNER, True, 2)


def test_one_of_two_owners_may_go():
    first, second = alice(), bob(role=Role.OWNER)
    User.objects.update_role(first, Role.USER)
    with pytest.raises(LastOwner):
        User.objects.update_role(second, Role.USER)
    User.objects.update_role(first, Role.OWNER)
    second.delete()
    assert owners() == ["Alice"]


def test_who_is_no_owner_may_go_without_any_owner():
    person = bob()
    User.objects.update_role(person, Role.ADMIN)
    User.objects.filter(pk=person.pk).delete()
    assert not User.objects.exists()


def test_an_unknown_role_is_refused_before_anything_is_asked():
    with pytest.raises(ValueError, match="There is no role 'king'"):
        User.objects.update_role(alice(), "king")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("leave", ["demote", "delete"])
def test_two_owners_who_remove_each_other_at_once_leave_one(leave):
    people = [alice(), bob(role=Role.OWNER)]

    def go(person: User) -> str:
        try:
            if leave == "demote":
                User.objects.update_role(User.objects.get(pk=person.pk), Role.USER)
            else:
                User.objects.get(pk=person.pk).delete()
        except LastOwner:
            return "stays"
        return "went"

    for _ in range(5):
        outcomes = together(*(lambda person=person: go(person) for person in people))
        assert sorted(outcomes) == ["stays", "went"]
        assert len(owners()) == 1
        User.objects.exclude(role=Role.OWNER).delete()
        people = [User.objects.get(), bob(role=Role.OWNER)]


def confirmed(person):
    return {"person": person.pk, "confirmation": f"erase person {person.pk}"}


def test_the_admin_says_so_at_each_way_and_changes_nothing(as_alice):
    me = User.objects.get()
    bob()
    form = as_alice.post(
        reverse("admin:users_user_change", args=[me.pk]),
        {"phone_number": me.phone_number, "name": "Mallory", "role": "user", **NO_IDENTITIES},
    )
    assert "last owner" in str(form.context["adminform"].form.errors["role"])
    erasure = as_alice.post(reverse("admin:users_user_erase"), confirmed(me))
    assert any("last owner" in str(message) for message in get_messages(erasure.wsgi_request))
    # Nothing else deletes a person there.
    as_alice.post(reverse("admin:users_user_delete", args=[me.pk]), {"post": "yes"})
    as_alice.post(LIST, {"action": "delete_selected", "_selected_action": [me.pk], "post": "yes"})
    me.refresh_from_db()
    assert (me.name, me.role, User.objects.count()) == ("Alice", Role.OWNER, 2)
    from django.contrib.admin.models import LogEntry

    assert not LogEntry.objects.exists(), "a deletion that did not happen was written down"


def test_the_admin_lets_one_of_two_owners_go(as_alice):
    other = bob(role=Role.OWNER)
    as_alice.post(reverse("admin:users_user_erase"), confirmed(other))
    assert owners() == ["Alice"]

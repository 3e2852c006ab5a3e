"""What a person may do in the admin follows from the role."""

import pytest

from users.models import User
from users.roles import Role
from users.tests.factories import bob

pytestmark = [pytest.mark.database, pytest.mark.django_db]


@pytest.mark.parametrize(
    ("role", "staff", "superuser"), [("owner", True, True), ("admin", True, False), ("user", False, False)]
)
def test_the_flags_follow_from_the_role(role, staff, superuser):
    user = User.objects.update_role(bob(is_staff=not staff, is_superuser=not superuser), role)
    user.refresh_from_db()
    assert (user.role, user.is_staff, user.is_superuser) == (role, staff, superuser)
    made = User.objects.create_user("+15551234567", role=role)
    assert (made.role, made.is_staff, made.is_superuser) == (role, staff, superuser)


@pytest.mark.parametrize("role", ["boss", "", "Owner", None])
def test_an_unknown_role_is_refused_and_the_roles_are_listed(role):
    user = bob()
    with pytest.raises(ValueError, match="owner, admin, user"):
        User.objects.update_role(user, role)
    with pytest.raises(ValueError, match="owner, admin, user"):
        User.objects.create_user("+15551234567", role=role)
    user.refresh_from_db()
    assert user.role == Role.USER
    assert User.objects.count() == 1

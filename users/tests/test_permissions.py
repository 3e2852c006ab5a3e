"""Who may do what follows from the role alone."""

import pytest

from users.models import User
from users.permissions import Permission, may, may_touch
from users.roles import Role

OWNER, ADMIN, PERSON = (User(pk=number, role=role) for number, role in enumerate((Role.OWNER, Role.ADMIN, Role.USER)))


def test_nobody_may_do_nothing_and_an_unknown_role_neither():
    assert not any(may(None, permission) or may(User(role="guest"), permission) for permission in Permission)


@pytest.mark.parametrize(
    ("staff", "person", "allowed"),
    [
        (OWNER, ADMIN, True),
        (OWNER, PERSON, True),
        (ADMIN, PERSON, True),
        (ADMIN, ADMIN, True),
        (ADMIN, OWNER, False),
        (ADMIN, User(pk=9, role=Role.ADMIN), False),
        (PERSON, ADMIN, False),
    ],
)
def test_other_staff_are_for_who_manages_staff(staff, person, allowed):
    assert may_touch(staff, person) is allowed

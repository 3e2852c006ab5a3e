"""The admin asks the table of permissions."""

import pytest

from users.permissions import django_permissions
from users.roles import Role


def test_an_unknown_role_has_no_rights_in_the_admin_either():
    with pytest.raises(ValueError):
        django_permissions("guest")
    assert django_permissions(Role.USER) == frozenset()

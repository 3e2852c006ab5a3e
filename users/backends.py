"""Sign people in, and let the admin ask the table of permissions instead of rows that somebody filled in by hand."""

from typing import Any

from django.contrib.auth.backends import ModelBackend

from users.models import User
from users.permissions import django_permissions


class RoleBackend(ModelBackend):
    """Permissions follow from the role. Django's groups and permissions of single people count for nothing."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return what the person's role allows, as "app.action_model"; there are none for single objects."""
        if not isinstance(user_obj, User) or obj is not None or not user_obj.is_active:
            return set()
        return set(django_permissions(user_obj.role))

    def get_group_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return nothing: groups are not used."""
        return set()

"""What a person may do, in chat and in the admin."""

from dataclasses import dataclass
from typing import Protocol

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """An owner may do everything, an admin what their permissions say, a user chats."""

    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    USER = "user", _("User")


class HasRole(Protocol):
    """Somebody who may do what their role allows."""

    @property
    def role(self) -> str: ...


@dataclass(frozen=True, slots=True)
class RoleFlags:
    """What Django derives permissions from; always follows from the role."""

    is_staff: bool
    is_superuser: bool


def role_flags(role: str) -> RoleFlags:
    """Return the flags of a role.

    Raises:
        ValueError: there is no such role.
    """
    if role not in Role.values:
        raise ValueError(f"There is no role {role!r}. Roles: {', '.join(Role.values)}.")
    return RoleFlags(is_staff=role in {Role.OWNER, Role.ADMIN}, is_superuser=role == Role.OWNER)

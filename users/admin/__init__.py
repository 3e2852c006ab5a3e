"""People in the admin."""

from users.admin.people import IdentityInline, UserAdmin

__all__ = ["IdentityInline", "UserAdmin"]

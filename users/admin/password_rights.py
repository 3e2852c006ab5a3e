"""Who may set whose password: one's own, or with the right to manage staff. Who only chats needs none."""

from typing import Any, cast

from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from users.models import User
from users.permissions import Permission, may

PASSWORD_FIELDS = frozenset({"password", "password1", "password2"})


class PasswordRightsMixin(DjangoUserAdmin):  # type: ignore[type-arg]
    """Keeps who may not manage staff from planting a password: whoever they gave it to may be made staff later."""

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Set a password, one's own or as who manages staff."""
        if not _may_set(request, id):
            raise PermissionDenied
        response: HttpResponse = super().user_change_password(request, id, form_url)
        return response

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Leave out the passwords of others."""
        fieldsets = super().get_fieldsets(request, obj)
        if _may_set(request, str(obj.pk) if obj else ""):
            return fieldsets
        return tuple(
            (title, {**options, "fields": tuple(name for name in options["fields"] if name not in PASSWORD_FIELDS)})
            for title, options in fieldsets
        )

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Save a person; the password of a new one is taken from who may set it only, whatever was posted."""
        if not change and not _may_set(request, ""):
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)


def _may_set(request: HttpRequest, person: str) -> bool:
    user = cast(User, request.user)
    return may(user, Permission.MANAGE_STAFF) or person == str(user.pk)

"""The admin's first page (config/desk/sidebar.py names it)."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from bot.admin.dashboard.sections import build
from users.models import User
from users.permissions import Permission, may


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the dashboard of who asks to the context of the admin's index."""
    person = request.user if isinstance(request.user, User) else None
    allowed = frozenset(permission for permission in Permission if may(person, permission))
    return {**context, "title": _("Dashboard"), "desk": build(allowed, request.GET.get("bot", ""))}

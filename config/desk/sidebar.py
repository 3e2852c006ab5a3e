"""How the admin looks and what its sidebar leads to (django-unfold's settings).

Every entry names the permission that its page needs, so that nobody is led to a page that refuses them.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _

# The simulator's own green, from light to dark.
PRIMARY = {
    "50": "#effaf8",
    "100": "#d5f2ed",
    "200": "#aee4dc",
    "300": "#7bcfc4",
    "400": "#47b3a7",
    "500": "#25a599",
    "600": "#0f766e",
    "700": "#0b5f59",
    "800": "#0c4c48",
    "900": "#0d3f3c",
    "950": "#042523",
}


def allowed(*permissions: str) -> Callable[[HttpRequest], bool]:
    """Return a test whether who asks has one of Django's permissions."""
    return lambda request: any(request.user.has_perm(permission) for permission in permissions)


def entry(title: Any, icon: str, page: str, *permissions: str) -> dict[str, Any]:
    """Return an entry of the sidebar: a page, and the permissions of which one is needed to see it."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{page}"),
        **({"permission": allowed(*permissions)} if permissions else {}),
    }


def on_records(request: HttpRequest) -> bool:
    """Return whether the page is one of the list of usage records, and not the report, whose address continues it."""
    return request.path.startswith(reverse("admin:usage_usagerecord_changelist")) and request.path != reverse(
        "admin:usage_report"
    )


NAVIGATION = [
    {"items": [entry(_("Dashboard"), "monitoring", "index")]},
    {
        "title": _("People"),
        "items": [
            entry(_("People"), "group", "users_user_changelist", "users.view_user"),
            entry(_("Access requests"), "person_add", "bot_accessrequest_changelist", "bot.view_accessrequest"),
            entry(_("Invites"), "mail", "users_invite_changelist", "users.view_invite"),
        ],
    },
    {
        "title": _("Messages"),
        "items": [
            entry(
                *(_("Conversations"), "forum", "conversations_conversation_changelist"),
                "conversations.view_conversation",
            ),
            entry(_("Inbox"), "inbox", "bot_inboundmessage_changelist", "bot.view_inboundmessage"),
            entry(_("Outbox"), "outbox", "bot_outboundmessage_changelist", "bot.view_outboundmessage"),
            entry(_("Chats under way"), "lock_clock", "bot_lease_changelist", "bot.view_lease"),
        ],
    },
    {
        "title": _("Usage"),
        "items": [
            entry(_("Usage"), "bar_chart", "usage_report", "usage.view_usagerecord"),
            {
                **entry(_("Records"), "receipt_long", "usage_usagerecord_changelist", "usage.view_usagerecord"),
                "active": on_records,
            },
            entry(_("Days and budgets"), "calendar_month", "usage_dailyspend_changelist", "usage.view_dailyspend"),
            entry(_("Prices"), "sell", "usage_modelprice_changelist", "usage.view_modelprice"),
        ],
    },
    {
        "title": _("System"),
        "items": [
            entry(_("Bots"), "smart_toy", "bot_bot_changelist", "bot.view_bot"),
            entry(_("Schedules"), "schedule", "django_q_schedule_changelist", "django_q.view_schedule"),
            entry(_("Failed tasks"), "error", "django_q_failure_changelist", "django_q.view_failure"),
            entry(_("Audit log"), "policy", "users_auditentry_changelist", "users.view_auditentry"),
        ],
    },
]

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Parley",
    "SITE_HEADER": "Parley",
    "SITE_URL": reverse_lazy("simulator:chat"),
    "SITE_ICON": lambda request: static("simulator/icon.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("simulator/icon.svg")},
    ],
    "SHOW_LANGUAGES": True,
    "SHOW_HISTORY": True,
    "COLORS": {"primary": PRIMARY},
    "STYLES": [lambda request: static("desk/desk.css")],
    "SCRIPTS": [lambda request: static("desk/desk.js")],
    "DASHBOARD_CALLBACK": "bot.admin.dashboard.view.dashboard",
    "SIDEBAR": {"show_search": False, "navigation": NAVIGATION},
}

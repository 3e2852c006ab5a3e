"""Which permission each page of the desk needs: written down once more, apart from the code that grants it.

Who adds a page adds a line here, else test_desk_roles.py fails.
"""

from dataclasses import dataclass

from bot.tests.support.pages import MODELS, Page
from users.models import User
from users.permissions import Permission, may

# Who a page is for, where that is no permission of the table.
STAFF, OWNERS, NOBODY, ANYBODY = "staff", "owners (no permission names it)", "nobody", "anybody"


@dataclass(frozen=True)
class Needs:
    """What one needs to open a page, and the status that whoever has it is answered a GET with."""

    need: str
    status: int = 200


@dataclass(frozen=True)
class Rows:
    """What one needs for the pages about a model's rows."""

    see: str
    add: str = NOBODY
    change: str = NOBODY
    delete: str = OWNERS


ROWS = {
    "users.user": Rows(Permission.SEE_PEOPLE, *2 * (Permission.MANAGE_PEOPLE,), delete=Permission.DELETE_PEOPLE),
    "users.invite": Rows(Permission.SEE_PEOPLE, add=Permission.MANAGE_PEOPLE, delete=Permission.DELETE_PEOPLE),
    "users.auditentry": Rows(Permission.SEE_AUDIT, delete=NOBODY),
    "bot.accessrequest": Rows(Permission.SEE_PEOPLE, delete=Permission.MANAGE_PEOPLE),
    "bot.bot": Rows(Permission.SEE_BOTS, *3 * (Permission.MANAGE_BOTS,)),
    "bot.inboundmessage": Rows(Permission.SEE_MESSAGES, delete=NOBODY),
    "bot.outboundmessage": Rows(Permission.SEE_MESSAGES, delete=NOBODY),
    "bot.lease": Rows(Permission.SEE_MESSAGES, delete=NOBODY),
    "conversations.conversation": Rows(Permission.SEE_CONVERSATIONS),
    "usage.usagerecord": Rows(Permission.SEE_SPENDING, delete=NOBODY),
    "usage.dailyspend": Rows(Permission.SEE_SPENDING, delete=NOBODY),
    "usage.modelprice": Rows(Permission.SEE_SPENDING, *3 * (Permission.MANAGE_PRICES,)),
    "django_q.schedule": Rows(Permission.MANAGE_SCHEDULES, delete=NOBODY),
    "django_q.success": Rows(Permission.MANAGE_SCHEDULES, delete=NOBODY),
    "django_q.failure": Rows(Permission.MANAGE_SCHEDULES, delete=NOBODY),
    "django_q.ormq": Rows(Permission.MANAGE_SCHEDULES, delete=NOBODY),
}
# Pages of our own and of the admin itself, by the name of their URL. 405: there is nothing to open, only to post.
OWN = {
    "index": Needs(STAFF),
    "search": Needs(STAFF),
    "app_list": Needs(STAFF),
    "password_change": Needs(STAFF),
    "password_change_done": Needs(STAFF),
    "jsi18n": Needs(STAFF),
    "autocomplete": Needs(STAFF, 403),  # (it has to be told which field asks)
    "view_on_site": Needs(STAFF, 404),  # (nothing here has a page on a site)
    "logout": Needs(ANYBODY, 405),
    "login": Needs(ANYBODY),
    "auth_user_password_change": Needs(Permission.MANAGE_STAFF),
    "users_user_delete": Needs(Permission.DELETE_PEOPLE, 302),  # (to the next one)
    "users_user_privacy": Needs(Permission.DELETE_PEOPLE),
    "users_user_erase": Needs(Permission.DELETE_PEOPLE, 405),
    "users_user_export_one": Needs(Permission.EXPORT_PEOPLE, 405),
    "users_user_import": Needs(Permission.MANAGE_PEOPLE),
    "users_user_import_example": Needs(Permission.MANAGE_PEOPLE),
    "users_user_import_apply": Needs(Permission.MANAGE_PEOPLE, 405),
    "users_user_export": Needs(Permission.MANAGE_PEOPLE),
    "users_invite_new_code": Needs(Permission.MANAGE_PEOPLE, 405),
    "bot_accessrequest_allow": Needs(Permission.MANAGE_PEOPLE, 405),
    "bot_accessrequest_dismiss": Needs(Permission.MANAGE_PEOPLE, 405),
    "bot_bot_test": Needs(Permission.MANAGE_BOTS, 405),
    "bot_bot_try": Needs(Permission.MANAGE_BOTS, 405),
    "bot_bot_use": Needs(Permission.MANAGE_BOTS, 405),
    "django_q_schedule_run": Needs(Permission.MANAGE_SCHEDULES, 405),
    "usage_report": Needs(Permission.SEE_SPENDING),
    "usage_report_export": Needs(Permission.SEE_SPENDING),
    # The simulator.
    "chat": Needs(STAFF),
    "send": Needs(STAFF, 405),
    "updates": Needs(STAFF, 400),  # (without saying whose)
    "document": Needs(STAFF, 404),
    "story": Needs(STAFF),
    "people": Needs(STAFF),
    "about": Needs(STAFF, 400),  # (without saying whose)
    # Not of the desk: machines, and the language of pages.
    "webhook": Needs(ANYBODY),
    "healthz": Needs(ANYBODY),
    "readyz": Needs(ANYBODY),
    "metrics": Needs(ANYBODY),
    "webhook_bare": Needs(ANYBODY),
    "healthz_slash": Needs(ANYBODY),
    "readyz_slash": Needs(ANYBODY),
    "metrics_slash": Needs(ANYBODY),
    "set_language": Needs(ANYBODY),
    # Django's own for old addresses, and for none.
    "admin/<url>": Needs(STAFF, 404),
    **{f"admin/{label.replace('.', '/')}/<path:object_id>/": Needs(STAFF, 302) for label in MODELS},
}


def needs(page: Page) -> Needs | None:
    """Return what a page needs, or None where nobody has written it down."""
    if page.key in OWN:
        return OWN[page.key]
    rows, kind = ROWS.get(page.model), page.name.rpartition("_")[2]
    if rows is None or page.name != f"{page.model.replace('.', '_')}_{kind}":
        return None
    found = {"changelist": rows.see, "history": rows.see, "change": rows.see, "add": rows.add, "delete": rows.delete}
    return Needs(found[kind]) if kind in found else None


def needs_to_post(page: Page) -> str | None:
    """Return what one needs to change something by a page; None: nothing is changed by it, or it says so itself."""
    if page.model in ROWS and page.name.endswith("_change") and page.key not in OWN:
        return ROWS[page.model].change
    if page.name.endswith(("_changelist", "_history")) or not page.model:
        return None  # (a list's actions have permissions of their own)
    found = needs(page)
    return found.need if found else None


def has(person: User | None, need: str) -> bool:
    """Return whether somebody (None: not signed in) has what a page needs."""
    if need in (ANYBODY, NOBODY):
        return need == ANYBODY
    if person is None or not person.is_staff:
        return False
    return need == STAFF or (person.role == "owner" if need == OWNERS else may(person, Permission(need)))

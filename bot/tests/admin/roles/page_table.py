"""Which page opens for whom: every URL of the project, by its name. A URL without a line here fails."""

from django.contrib.admin import site
from django_q.models import OrmQ

from bot.tests.admin.roles.world import ROLES

# Answers to nobody, user, admin and owner. login: led to the page to sign in; gone: as if it was not there.
STAFF = "login login 200 200"
OWNERS = "login login 403 200"
NO_ONE = "login login 403 403"
# There is nothing to open, only to post.
POST_BY_STAFF = "login login 405 405"
POST_BY_OWNERS = "login login 403|405 405"

PAGES = {
    "index": STAFF,
    "search": STAFF,
    "app_list": STAFF,
    "password_change": STAFF,
    "password_change_done": STAFF,
    "jsi18n": STAFF,
    # (It has to be told which field asks; test_searches.py does.)
    "autocomplete": "login login 403 403",
    "view_on_site": "login login 404 404",
    "login": "200 200 302 302",
    "logout": "302|405 302|405 405 405",
    "admin/<url>": "login login 404 404",
    "auth_user_password_change": OWNERS,
    "users_user_erase": POST_BY_OWNERS,
    "users_user_privacy": OWNERS,
    "users_user_export_one": POST_BY_OWNERS,
    "users_user_import": STAFF,
    "users_user_import_example": STAFF,
    "users_user_import_apply": POST_BY_STAFF,
    "users_user_export": STAFF,
    "users_invite_new_code": POST_BY_STAFF,
    "bot_accessrequest_allow": POST_BY_STAFF,
    "bot_accessrequest_dismiss": POST_BY_STAFF,
    "bot_bot_test": POST_BY_OWNERS,
    "bot_bot_try": POST_BY_OWNERS,
    "bot_bot_use": POST_BY_OWNERS,
    "usage_report": STAFF,
    "usage_report_export": STAFF,
    "django_q_schedule_run": POST_BY_OWNERS,
    # The simulator. (It has to be told which chat; simulator.py does.)
    "chat": "login 403 200 200",
    "send": "405 405 405 405",
    "updates": "403 403 400 400",
    "about": "403 403 400 400",
    "people": "403 403 200 200",
    "document": "403 403 404 404",
    # (Of a text to somebody real: how the reply came about, without the text.)
    "story": "403 403 200|403|404 200",
    # For machines, and the language of pages.
    "webhook": "403|404|405 403|404|405 403|404|405 403|404|405",
    "healthz": "200 200 200 200",
    "readyz": "200|503 200|503 200|503 200|503",
    "metrics": "200|403 200|403 200|403 200|403",
    # (The same, with a slash more or less.)
    "webhook_bare": "403|404|405 403|404|405 403|404|405 403|404|405",
    "healthz_slash": "200 200 200 200",
    "readyz_slash": "200|503 200|503 200|503 200|503",
    "metrics_slash": "200|403 200|403 200|403 200|403",
    "set_language": "302 302 302 302",
}
# Of each model: its list, the page that adds, a row's page, its history, and the page that deletes it.
KINDS = ("changelist", "add", "change", "history", "delete")
MODELS = {
    "users.user": (STAFF, STAFF, STAFF, STAFF, "login login 403 302"),  # (302: to what is held)
    "users.invite": (STAFF, STAFF, STAFF, STAFF, OWNERS),
    "users.auditentry": (OWNERS, NO_ONE, OWNERS, OWNERS, NO_ONE),
    "bot.accessrequest": (STAFF, NO_ONE, STAFF, STAFF, STAFF),
    "bot.bot": (STAFF, OWNERS, STAFF, STAFF, OWNERS),
    "bot.inboundmessage": (STAFF, NO_ONE, STAFF, STAFF, NO_ONE),
    "bot.outboundmessage": (STAFF, NO_ONE, STAFF, STAFF, NO_ONE),
    "bot.lease": (STAFF, NO_ONE, STAFF, STAFF, NO_ONE),
    "conversations.conversation": (OWNERS, NO_ONE, OWNERS, OWNERS, OWNERS),
    "usage.usagerecord": (STAFF, NO_ONE, STAFF, STAFF, NO_ONE),
    "usage.dailyspend": (STAFF, NO_ONE, STAFF, STAFF, NO_ONE),
    "usage.modelprice": (STAFF, OWNERS, STAFF, STAFF, OWNERS),
    "django_q.schedule": (OWNERS, NO_ONE, OWNERS, OWNERS, NO_ONE),
    "django_q.success": (OWNERS, NO_ONE, OWNERS, OWNERS, NO_ONE),
    "django_q.failure": (OWNERS, NO_ONE, OWNERS, OWNERS, NO_ONE),
    "django_q.ormq": (OWNERS, NO_ONE, OWNERS, OWNERS, NO_ONE),
}
# The row of the world that the pages of a model are about.
ABOUT = {
    "users.user": "dana",
    "users.invite": "invite of new",
    "users.auditentry": "entry",
    "bot.accessrequest": "request",
    "bot.bot": "console",
    "bot.inboundmessage": "dead dana on console",
    "bot.outboundmessage": "text dana on console",
    "bot.lease": "lease",
    "conversations.conversation": "said dana on console",
    "usage.usagerecord": "record",
    "usage.dailyspend": "spend",
    "usage.modelprice": "price",
    "django_q.schedule": "schedule",
    "django_q.success": "success",
    "django_q.failure": "failure",
    "django_q.ormq": "queued",
}
# Where Redis carries the tasks, there is no page of those that wait.
HAS_QUEUE = site.is_registered(OrmQ)
if not HAS_QUEUE:
    del MODELS["django_q.ormq"], ABOUT["django_q.ormq"]


def expected(name: str, model: str, role: str) -> str | None:
    """Return the answer to a role that opens a page; None: nobody has written it down."""
    answers = PAGES.get(name)
    if answers is None and model in MODELS:
        start, kind = model.replace(".", "_"), name.rpartition("_")[2]
        if name == f"{start}_{kind}" and kind in KINDS:
            answers = MODELS[model][KINDS.index(kind)]
        elif name.endswith("<path:object_id>/"):
            answers = "login login 302 302"  # (Django's own old address of a row)
    return answers.split()[ROLES.index(role)] if answers else None

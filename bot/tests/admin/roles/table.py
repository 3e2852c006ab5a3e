"""The acts on what the desk is about: people, invites, bots, messages, money, and what runs by itself."""

# ruff: noqa: E501 (a row of the table is a line)

from django_q.models import OrmQ

from bot.tests.admin.roles.cells import Row
from bot.tests.admin.roles.page_table import MODELS
from bot.tests.admin.roles.table_people import PEOPLE
from bot.tests.admin.roles.ways import action, add, change, count, delete, fields, get, nothing, post, post_to, there
from users.models import AuditEntry

STAFF = "login login 302! 302!"
# (A list shows itself again to who chose an action that is not theirs.)
OWNERS = "login login 403 302!"
OWNERS_OF_LIST = "login login 200|302|403 302!"
NO_ONE = "login login 403 403"
NO_ONE_OF_LIST = "login login 200|302|403 200|302|403"
DAY, TIME = {"next_run_0": "2030-01-01"}, {"next_run_1": "12:00:00"}
NEW_SCHEDULE = {
    "name": "mine",
    "func": "os.system",
    "args": "'id'",
    "schedule_type": "O",
    "repeats": "-1",
    **DAY,
    **TIME,
}
NEW_INVITE = {"max_uses": "1", "expires_at_0": "2099-01-01", "expires_at_1": "12:00:00"}

INVITES = [
    Row("invite", "make for somebody new", add("users.invite", **NEW_INVITE), count("users.invite"), "login login 302|200! 302|200!", "any"),
    Row("invite", "make for a person without data", add("users.invite", person="@fresh", **NEW_INVITE), count("users.invite"), "login login 302|200! 302|200!", "any"),
    Row("invite", "make for a person with data", add("users.invite", person="@dana", **NEW_INVITE), count("users.invite"), "login login 200 302|200!", "any"),
    Row("invite", "make for an admin", add("users.invite", person="@admin2", **NEW_INVITE), count("users.invite"), "login login 200 302|200!", "any"),
    Row("invite", "make for an owner", add("users.invite", person="@owner2", **NEW_INVITE), count("users.invite"), "login login 200 302|200!", "any"),
    Row("invite", "open one of somebody new", get("users_invite_change", "invite of new"), nothing, "login login 200 200"),
    Row("invite", "open one of an admin", get("users_invite_change", "invite of admin2"), nothing, "login login gone 200"),
    Row("invite", "open one of an owner", get("users_invite_change", "invite of owner2"), nothing, "login login gone 200"),
    Row("invite", "open the history of an owner's", get("users_invite_history", "invite of owner2"), nothing, "login login gone 200"),
    Row("invite", "a new code for somebody new", post("users_invite_new_code", "invite of new"), fields("invite of new", "digest"), "login login 200! 200!", "any"),
    Row("invite", "a new code for a person with data", post("users_invite_new_code", "invite of dana"), fields("invite of dana", "digest"), "login login 403 200!", "any"),
    Row("invite", "a new code for an admin", post("users_invite_new_code", "invite of admin2"), fields("invite of admin2", "digest"), "login login 302|403|404 200!", "any"),
    Row("invite", "a new code for an owner", post("users_invite_new_code", "invite of owner2"), fields("invite of owner2", "digest"), "login login 302|403|404 200!", "any"),
    Row("invite", "change", change("users.invite", "invite of new", max_uses="1000", note="x"), fields("invite of new", "max_uses", "note"), NO_ONE),
    Row("invite", "delete", delete("users.invite", "invite of new"), there("invite of new"), OWNERS, "any"),
    Row("invite", "delete several", action("users.invite", "delete_selected", "invite of new"), there("invite of new"), OWNERS_OF_LIST, "any"),
    Row("invite", "revoke one of somebody new", action("users.invite", "revoke", "invite of new"), fields("invite of new", "revoked_at"), STAFF),
    Row("invite", "revoke one of an admin", action("users.invite", "revoke", "invite of admin2"), fields("invite of admin2", "revoked_at"), OWNERS_OF_LIST),
    Row("invite", "revoke one of an owner", action("users.invite", "revoke", "invite of owner2"), fields("invite of owner2", "revoked_at"), OWNERS_OF_LIST),
]  # fmt: skip

NEW_BOT = {"name": "Mine", "slug": "mine", "channel": "console", "system_prompt": "Tell all."}
BOTS = [
    Row("bot", "add", add("bot.bot", "?channel=console", **NEW_BOT), count("bot.bot"), OWNERS, "any"),
    Row("bot", "change the prompt", change("bot.bot", "console", system_prompt="Tell all."), fields("console", "system_prompt"), OWNERS, "any"),
    Row("bot", "change the budget", change("bot.bot", "console", daily_budget_micros="5"), fields("console", "daily_budget_micros"), OWNERS, "any"),
    Row("bot", "change the account", change("bot.bot", "other bot", account_id="999"), fields("other bot", "account_id"), OWNERS, "any"),
    Row("bot", "delete", delete("bot.bot", "paused"), there("paused"), OWNERS, "any"),
    Row("bot", "delete several", action("bot.bot", "delete_selected", "paused"), there("paused"), NO_ONE_OF_LIST),
    Row("bot", "pause", action("bot.bot", "pause", "console"), fields("console", "paused_at"), STAFF, "any"),
    Row("bot", "resume", action("bot.bot", "resume", "paused"), fields("paused", "paused_at"), STAFF, "any"),
    Row("bot", "try a prompt", post("bot_bot_try", "other bot", system_prompt="Tell all."), count("bot.bot"), OWNERS),
    Row("bot", "use the tried prompt", post("bot_bot_use", "console"), nothing, "login login 403 302"),
    Row("bot", "test the connection", post("bot_bot_test", "console"), nothing, "login login 403 302"),
]  # fmt: skip

DEAD, TEXT, FAILED, SAID = (
    "dead dana on other bot",
    "text dana on other bot",
    "failed dana on other bot",
    "said dana on console",
)
MESSAGES = [
    Row("inbox", "add", add("bot.inboundmessage", external_id="mine"), count("bot.inboundmessage"), NO_ONE),
    Row("inbox", "change", change("bot.inboundmessage", DEAD, state="pending"), fields(DEAD, "state", "payload"), NO_ONE),
    Row("inbox", "delete", delete("bot.inboundmessage", DEAD), there(DEAD), NO_ONE),
    Row("inbox", "replay", action("bot.inboundmessage", "replay", DEAD), fields(DEAD, "state"), STAFF),
    Row("outbox", "add", add("bot.outboundmessage", text="mine"), count("bot.outboundmessage"), NO_ONE),
    Row("outbox", "change", change("bot.outboundmessage", TEXT, text="mine", status="queued"), fields(TEXT, "text", "status"), NO_ONE),
    Row("outbox", "delete", delete("bot.outboundmessage", TEXT), there(TEXT), NO_ONE),
    Row("outbox", "mark as sent", action("bot.outboundmessage", "mark_sent", TEXT), fields(TEXT, "status"), STAFF),
    Row("outbox", "send again", action("bot.outboundmessage", "send_again", FAILED), fields(FAILED, "status"), STAFF),
    Row("outbox", "read a text", get("bot_outboundmessage_change", TEXT), lambda world: reads(), "login login 200 200!", "read"),
    Row("conversation", "read", get("conversations_conversation_change", SAID), lambda world: reads(), "login login 403 200!", "read"),
    Row("conversation", "add", add("conversations.conversation", bot="mine"), count("conversations.conversation"), NO_ONE),
    Row("conversation", "change", change("conversations.conversation", SAID, bot="x"), fields(SAID, "bot"), NO_ONE),
    Row("conversation", "delete", delete("conversations.conversation", SAID), there(SAID), OWNERS, "any"),
    Row("conversation", "delete several", action("conversations.conversation", "delete_selected", SAID), there(SAID), OWNERS_OF_LIST, "any"),
    Row("lease", "add", add("bot.lease", worker="mine"), count("bot.lease"), NO_ONE),
    Row("lease", "change", change("bot.lease", "lease", worker="mine"), fields("lease", "worker"), NO_ONE),
    Row("lease", "delete", delete("bot.lease", "lease"), there("lease"), NO_ONE),
    Row("access request", "add", add("bot.accessrequest", address="+4915155500901"), count("bot.accessrequest"), NO_ONE),
    Row("access request", "change", change("bot.accessrequest", "request", address="x"), fields("request", "address"), NO_ONE),
    Row("access request", "delete", delete("bot.accessrequest", "request"), there("request"), STAFF, "any"),
    Row("access request", "allow with the button", post("bot_accessrequest_allow", "request"), count("users.user"), STAFF, "allowed"),
    Row("access request", "allow staff with the button", post("bot_accessrequest_allow", "staff request"), fields("blocked admin", "is_whitelisted"), "login login 302 302!", "allowed"),
    Row("access request", "dismiss with the button", post("bot_accessrequest_dismiss", "request"), there("request"), STAFF),
    Row("access request", "allow several", action("bot.accessrequest", "allow", "request"), count("users.user"), STAFF, "allowed"),
    Row("access request", "allow staff among several", action("bot.accessrequest", "allow", "staff request"), fields("blocked admin", "is_whitelisted"), "login login 302 302!", "allowed"),
    Row("access request", "dismiss several", action("bot.accessrequest", "dismiss", "request"), there("request"), STAFF),
]  # fmt: skip

PRICE = {"model": "mine", "valid_from": "2030-01-01", "input_micros_per_million": "1", "output_micros_per_million": "1"}
MONEY = [
    Row("price", "add", add("usage.modelprice", **PRICE), count("usage.modelprice"), OWNERS, "any"),
    Row("price", "change", change("usage.modelprice", "price", output_micros_per_million="9"), fields("price", "output_micros_per_million"), OWNERS, "any"),
    Row("price", "delete", delete("usage.modelprice", "price"), there("price"), OWNERS, "any"),
    Row("price", "delete several", action("usage.modelprice", "delete_selected", "price"), there("price"), OWNERS_OF_LIST, "any"),
    Row("price", "price what waits", action("usage.modelprice", "price_waiting", "price"), nothing, "login login 200|302|403 302"),
    *(
        Row(name, act, way, watch, NO_ONE)
        for name, label, key in (("usage record", "usage.usagerecord", "record"), ("spend", "usage.dailyspend", "spend"))
        for act, way, watch in (
            ("add", add(label, bot="mine"), count(label)),
            ("change", change(label, key, bot="mine"), fields(key, "bot")),
            ("delete", delete(label, key), there(key)),
        )
    ),
    *(
        Row("audit log", act, way, watch, NO_ONE)
        for act, way, watch in (
            ("add", add("users.auditentry", action="read"), count("users.auditentry")),
            ("change", change("users.auditentry", "entry", subject="1"), fields("entry", "subject")),
            ("delete", delete("users.auditentry", "entry"), there("entry")),
        )
    ),
]  # fmt: skip

TASKS = [
    Row("schedule", "add", add("django_q.schedule", **NEW_SCHEDULE), count("django_q.schedule"), NO_ONE),
    Row("schedule", "change", change("django_q.schedule", "schedule", func="os.system", args="'id'"), fields("schedule", "func", "args"), NO_ONE),
    Row("schedule", "delete", delete("django_q.schedule", "schedule"), there("schedule"), NO_ONE),
    Row("schedule", "delete several", action("django_q.schedule", "delete_selected", "schedule"), there("schedule"), NO_ONE_OF_LIST),
    Row("schedule", "run now", post_to("django_q_schedule_run", "/admin/django_q/schedule/run/purge/"), lambda world: queued(), OWNERS, "any"),
    *(
        Row(label.partition(".")[2], act, way, watch, NO_ONE if act in ("add", "change", "delete") else NO_ONE_OF_LIST)
        for label, key in (("django_q.success", "success"), ("django_q.failure", "failure"), ("django_q.ormq", "queued"))
        if label in MODELS
        for act, way, watch in (
            ("add", add(label, name="mine", func="os.system"), count(label)),
            ("change", change(label, key, name="mine", func="os.system", key="x"), fields(key, "pk")),
            ("delete", delete(label, key), there(key)),
            ("delete several", action(label, "delete_selected", key), there(key)),
            ("run again", action(label, "resubmit_task", key), count("django_q.ormq")),
        )
    ),
]  # fmt: skip

TABLE = [*PEOPLE, *INVITES, *BOTS, *MESSAGES, *MONEY, *TASKS]


def reads() -> int:
    """Return how many texts have been opened by staff, as the audit log has it."""
    return AuditEntry.objects.filter(action="read").count()


def queued() -> int:
    """Return how many tasks wait."""
    return OrmQ.objects.count()

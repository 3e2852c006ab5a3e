"""Which columns can hold something of a person: every one that takes free text, unless this says why it cannot."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models
from django_q.models import Task

from bot.models.encryption import EncryptedJSONField
from users.models import User

PickledObjectField = type(Task._meta.get_field("args"))
TEXTS = (
    models.CharField,
    models.TextField,
    models.JSONField,
    models.BinaryField,
    models.FileField,
    models.GenericIPAddressField,
    EncryptedJSONField,
    PickledObjectField,
)

OPERATORS = "what the operator configures: about a bot, not about who writes to it"
NAMES_A_BOT = "a bot's slug"
NAMES_A_MODEL = "a model, as the operator or the provider names it"
DJANGOS = "written by Django when it is installed: names of models and of what may be done to them"
OURS = "the path of a function of ours"
RANDOM = "random"
OUR_TASKS = "ours take no arguments and return nothing: test_no_task_of_ours_is_given_or_returns_anything"
SCHEDULE = "what bot/operations/schedules.py or an operator enters; it is about no person"

# "app.Model": {field: why it cannot hold personal data}.
CANNOT: dict[str, dict[str, str]] = {
    "admin.LogEntry": {"object_id": "the id of a row, which means nothing once that is deleted"},
    "auth.Group": {"name": "nobody has groups here; an operator would name them"},
    "auth.Permission": {"name": DJANGOS, "codename": DJANGOS},
    "contenttypes.ContentType": {"app_label": DJANGOS, "model": DJANGOS},
    "sessions.Session": {"session_key": RANDOM, "session_data": "the id of who is signed in, and since when"},
    "users.User": {"password": "a hash with a salt"},
    "users.Identity": {"channel": "the slug of a channel"},
    "users.Tombstone": {"digest": "a keyed hash: it is what has to stay"},
    "users.AuditEntry": {
        "via": "chat, admin or command",
        "details": "counts and ids; test_the_audit_log_says_what_was_done_and_nothing_else looks at them",
    },
    "conversations.Conversation": {"bot": NAMES_A_BOT},
    "usage.DailySpend": {"bot": NAMES_A_BOT},
    "usage.Reservation": {"bot": NAMES_A_BOT},
    "usage.SpendAlert": {"bot": NAMES_A_BOT},
    "usage.ModelPrice": {"model": NAMES_A_MODEL},
    "usage.ClosedDay": {"zone": "a setting", "lines": "numbers, by bots' slugs and models' names"},
    "usage.UsageDay": {"bot": NAMES_A_BOT, "model": NAMES_A_MODEL},
    "usage.UsageRecord": {
        "bot": NAMES_A_BOT,
        "model": NAMES_A_MODEL,
        "model_answered": NAMES_A_MODEL,
        "price": "numbers, and where they are from",
        "call_id": RANDOM,
    },
    "bot.Bot": dict.fromkeys(
        (
            *("slug", "name", "account_id", "credentials", "system_prompt", "model", "allowed_models", "contact"),
            "pause_reason",
        ),
        OPERATORS,
    ),
    "bot.Heartbeat": {"process": "the name of a machine, and numbers"},
    "bot.Counter": {
        "name": "a metric",
        "labels": "bots, states and codes of ours: bot/monitoring/metrics/definitions.py",
    },
    "bot.DailyFigures": {"bot": NAMES_A_BOT, "failures": "codes of ours", "costs": NAMES_A_MODEL},
    "django_q.Task": {
        **dict.fromkeys(("name", "group", "args", "kwargs", "result"), OUR_TASKS),
        "id": RANDOM,
        "func": OURS,
        "hook": OURS,
        "cluster": "a setting of ours",
    },
    "django_q.OrmQ": {"key": "a setting of ours", "payload": OUR_TASKS},
    "django_q.Schedule": dict.fromkeys(
        ("name", "func", "hook", "args", "kwargs", "cron", "task", "cluster", "intended_date_kwarg"), SCHEDULE
    ),
}


def text_fields() -> Iterator[tuple[type[models.Model], "models.Field[Any, Any]"]]:
    """Yield every column of free text; one with choices holds one of those."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy:
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, TEXTS) and not field.choices:
                yield model, field


def can_hold() -> set[tuple[str, str]]:
    """Return (table, column) of every column that can hold something of a person."""
    return {
        (model._meta.db_table, str(field.column))
        for model, field in text_fields()
        if field.name not in CANNOT.get(model._meta.label, {})
    }


def paths_to_person() -> set[tuple[type[models.Model], str]]:
    """Return every way from a model to a person: (Message, "conversation__user"), …"""
    found: set[tuple[type[models.Model], str]] = set()
    waiting: list[tuple[type[models.Model], str]] = [(User, "")]
    while waiting:
        target, path = waiting.pop()
        for model in apps.get_models(include_auto_created=True):
            for field in model._meta.concrete_fields:
                # (A person leads to nobody else.)
                if field.remote_field and field.related_model is target and not model._meta.proxy and model is not User:
                    way = (model, f"{field.name}__{path}" if path else field.name)
                    if way not in found:
                        found.add(way)
                        waiting.append(way)
    return found

"""Retention of operational data: bots, processes, tasks, the admin and Django's own tables."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Q, QuerySet
from django.utils import timezone
from django_q.models import OrmQ, Schedule, Task

from bot.models import Bot, Counter, DailyFigures, Heartbeat
from bot.monitoring.heartbeats import KEPT
from bot.privacy.retention.entry import NOBODY, Counts, Entry, Period, Step, days, deletes
from bot.privacy.retention.periods import ADMIN_HISTORY_DAYS, QUEUED_TASK_DAYS, SIMULATED_DAYS, TASK_DAYS
from config.db.batches import Progress


def expired_sessions(cutoff: datetime) -> "QuerySet[Any]":
    """Return the expired sessions. Each has its own expiry, set by Django."""
    return Session.objects.filter(expire_date__lt=timezone.now())


def left_tasks(cutoff: datetime) -> "QuerySet[Any]":
    """Return the queued tasks that nobody took since a moment. A running task is locked until long after its timeout.

    Tasks without a time are included: the queue never takes them, as it is read by time.
    """
    left: QuerySet[Any] = OrmQ.objects.filter(Q(lock__lt=cutoff) | Q(lock=None))
    return left


def drop_previews(period: timedelta, dry_run: bool, progress: Progress | None) -> Counts:
    """Delete previews of bots that nobody has used for a period, with their chats."""
    stale = Bot.objects.exclude(preview_of=None).filter(updated_at__lt=timezone.now() - period)
    return {"previews": stale.count() if dry_run else sum(bool(preview.delete()[0]) for preview in stale)}


OPERATION = (
    Entry(
        model=Bot,
        holds="A bot: account, prompt, model, limits; its credentials are encrypted.",
        why="It is what people talk to.",
        steps=(
            Step(
                "a preview, which tries a prompt in the simulator, with its messages",
                days(SIMULATED_DAYS),
                "it was tried last",
                drop_previews,
                "previews",
            ),
        ),
        stays="until deleted",
        other=(
            *("slug", "name", "channel", "account_id", "credentials", "system_prompt", "language", "model"),
            *("reasoning_effort", "allowed_models", "contact", "pause_reason"),
        ),
        rights=f"{NOBODY}, unless the operator writes it into a prompt",
    ),
    Entry(
        model=Heartbeat,
        holds="Which worker and scheduler processes live, by host.",
        why="Probes and metrics tell when one is gone.",
        steps=(
            deletes(
                "heartbeats",
                Period(KEPT),
                "its process was last seen; at once if it ended in order",
                lambda cutoff: Heartbeat.objects.filter(seen_at__lt=cutoff),
            ),
        ),
        other=("kind", "process"),
    ),
    Entry(
        model=Counter,
        holds="Counts for `/metrics`: messages, turns, tokens, by bot, model and outcome.",
        why="They only grow, over all processes.",
        stays="until deleted",
        other=("name", "labels"),
    ),
    Entry(
        model=DailyFigures,
        holds="What a day came to, with each bot and with all: messages, how many people, times, failures by code, "
        "tokens, costs by model.",
        why="The dashboard shows a month, and messages are gone before.",
        stays="for ever",
        other=("bot", "failures", "costs"),
    ),
    Entry(
        model=LogEntry,
        holds="The admin's history: who changed what, with the name and the masked number of people.",
        why="A mistake can be traced to its change.",
        steps=(
            deletes(
                "admin_history",
                days(ADMIN_HISTORY_DAYS),
                "the change",
                lambda cutoff: LogEntry.objects.filter(action_time__lt=cutoff),
            ),
        ),
        personal=("user", "object_id", "object_repr", "change_message"),
        rights="exported and erased, as far as it is about the person or by them",
    ),
    Entry(
        model=Session,
        holds="Who is signed in to the admin.",
        why="So that the next page knows.",
        steps=(
            deletes(
                "sessions",
                Period(timedelta(seconds=settings.SESSION_COOKIE_AGE)),
                "signing in; at once after signing out",
                expired_sessions,
            ),
        ),
        personal=("session_key", "session_data"),
        rights="until when is exported; erased",
    ),
    Entry(
        model=Task,
        holds="Scheduled tasks that failed; those that succeeded leave no row.",
        why="Somebody has to look. The text of the error is withheld: it is in the log, redacted.",
        steps=(
            deletes(
                "tasks",
                days(TASK_DAYS),
                "the task ended",
                lambda cutoff: Task.objects.filter(stopped__lt=cutoff),
            ),
        ),
        other=("id", "name", "func", "hook", "args", "kwargs", "result", "group", "cluster"),
        rights=f"{NOBODY}: Parley's tasks take no arguments and return nothing",
    ),
    Entry(
        model=OrmQ,
        holds="Tasks that are about to run, where there is no Redis.",
        why="They are the scheduler's queue.",
        steps=(
            deletes(
                "queued_tasks",
                days(QUEUED_TASK_DAYS),
                "it was to run, if no scheduler took it",
                left_tasks,
            ),
        ),
        other=("key", "payload"),
        rights=f"{NOBODY}: Parley's tasks take no arguments",
    ),
    Entry(
        model=Schedule,
        holds="What runs by itself, and when.",
        why="It is configuration: the purge is one of them.",
        stays="until deleted; `migrate` creates Parley's own again",
        other=(
            *("name", "func", "hook", "args", "kwargs", "schedule_type", "cron", "task", "cluster"),
            "intended_date_kwarg",
        ),
    ),
    Entry(
        model=Group,
        holds="Groups of the admin's.",
        why="Comes with Django. Parley makes none.",
        stays="until deleted",
        other=("name",),
    ),
    Entry(
        model=Group.permissions.through,
        holds="What groups may do.",
        why="Comes with Django.",
        stays="with the group",
    ),
    Entry(
        model=Permission,
        holds="The names of what one may do in the admin.",
        why="Comes with Django: the same in every installation.",
        stays="with the software",
        other=("name", "codename"),
    ),
    Entry(
        model=ContentType,
        holds="The names of the tables' models.",
        why="Comes with Django: the same in every installation.",
        stays="with the software",
        other=("app_label", "model"),
    ),
    Entry(
        model=MigrationRecorder.Migration,
        holds="Which migrations were applied.",
        why="Comes with Django: the same in every installation.",
        stays="with the software",
        other=("app", "name"),
    ),
)

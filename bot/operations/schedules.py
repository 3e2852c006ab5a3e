"""Scheduled tasks: django-q2 schedules, and the functions they call."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import wraps
from time import monotonic
from typing import Any

from django.db import connections
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_q.models import Schedule
from django_q.tasks import async_task

from bot.monitoring.heartbeats import beat_of_scheduler
from bot.operations.alerts import raise_alerts
from bot.operations.figures.folding import fold_minute
from bot.operations.purge import PurgeFailed, purge_expired
from bot.privacy.retention import release_abandoned_reservations
from config.db.batches import Progress
from config.logs.lines import bind
from config.logs.sentry import flush, own_scope

logger = logging.getLogger(__name__)

PURGE_NAME = "purge expired data"
WATCH_NAME = "watch budgets"
# In TIME_ZONE, when few people write.
PURGE_TIME = time(3, 30)
HEARTBEAT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Known:
    """One of Parley's schedules: the name of its row, the function it calls, and its description."""

    name: str
    func: str
    title: Promise
    sentence: Promise

    def is_of(self, row: Schedule) -> bool:
        """Return whether a row is this schedule, and calls its function without arguments."""
        return (row.name, row.func) == (self.name, self.func) and not (row.hook or row.args or row.kwargs)


# By the keys of the admin's buttons: the function to run is never read from a row or a request.
KNOWN: dict[str, Known] = {
    "purge": Known(
        PURGE_NAME,
        "bot.operations.schedules.purge",
        _("Delete what has expired"),
        _("Deletes conversations, messages and records whose time is over, as the privacy page of the manual lists."),
    ),
    "watch": Known(
        WATCH_NAME,
        "bot.operations.schedules.every_minute",
        _("Watch budgets and count"),
        _("Sends budget alerts, frees what abandoned turns have reserved, and counts the figures of the dashboard."),
    ),
}


def key_of(row: Schedule) -> str | None:
    """Return the key of a row that is one of our schedules; None if somebody else made or changed it."""
    return next((key for key, known in KNOWN.items() if known.is_of(row)), None)


def run_now(key: str) -> None:
    """Queue a schedule's task at once, in addition to its times.

    Raises:
        KeyError: there is no such schedule.
    """
    known = KNOWN[key]
    async_task(known.func, group=known.name)


class TaskFailed(Exception):
    """A task failed. django-q2 keeps the message for ever, in a table that staff can read."""


def scheduled(task: Callable[[], None]) -> Callable[[], None]:
    """Make a function a scheduled task: a failure is logged and reported, and re-raised without its message."""

    @wraps(task)
    def run() -> None:
        with bind(task=task.__name__), own_scope():
            try:
                task()
            except TaskFailed:
                # It has logged and reported the failure itself.
                flush()
                raise
            except Exception as error:
                logger.exception("task_failed")
                # django-q2 may end the process before the report is sent.
                flush()
                raise TaskFailed(f"{type(error).__name__}; the log says where, at task_failed") from None

    return run


def _wanted() -> dict[str, dict[str, Any]]:
    return {
        PURGE_NAME: {
            "func": KNOWN["purge"].func,
            "schedule_type": Schedule.DAILY,
            "next_run": _next(PURGE_TIME),
        },
        WATCH_NAME: {"func": KNOWN["watch"].func, "schedule_type": Schedule.MINUTES, "minutes": 1},
    }


def missing_schedules() -> set[str]:
    """Return the names of missing schedules."""
    wanted = _wanted().keys()
    return wanted - set(Schedule.objects.filter(name__in=wanted).values_list("name", flat=True))


def ensure_schedules() -> None:
    """Create missing schedules and correct the function of the others. Their times are kept."""
    wanted = _wanted()
    for name in missing_schedules():
        Schedule.objects.create(name=name, **wanted[name])
    for known in KNOWN.values():
        own = {"func": known.func, "hook": None, "args": None, "kwargs": None}
        changed = [row.pk for row in Schedule.objects.filter(name=known.name) if not known.is_of(row)]
        Schedule.objects.filter(pk__in=changed).update(**own)


def late_since(moment: datetime) -> bool:
    """Return whether one of our schedules has been overdue since before a moment."""
    return bool(Schedule.objects.filter(name__in=_wanted(), next_run__lt=moment).exclude(repeats=0).exists())


def ensure_schedules_after_migrate(using: str, **kwargs: Any) -> None:
    """Create missing schedules after `migrate`, so that no deployment step can be forgotten."""
    if Schedule._meta.db_table in connections[using].introspection.table_names():
        ensure_schedules()


@scheduled
def purge() -> None:
    """Delete expired rows (task of the daily schedule)."""
    note = _live_on()
    try:
        purge_expired(watch=lambda name: nullcontext(note))
    except PurgeFailed as error:
        raise TaskFailed(f"not purged: {error}; the log says why, at purge_failed") from None


@scheduled
def every_minute() -> None:
    """Run the tasks of every minute: alerts, release of abandoned reservations, daily figures.

    It first beats the scheduler's heartbeat, which proves the whole chain from the clock to the task's process.

    It raises nothing, because django-q2 would keep a row of each failure for ever, one a minute while the database is
    down. The log and Sentry have the failures.
    """
    for step in (beat_of_scheduler, raise_alerts, release_abandoned_reservations, fold_minute):
        try:
            step()
        except Exception:
            logger.exception("minute_task_failed", extra={"step": step.__name__})


def _live_on() -> Progress:
    """Return a progress callback that also beats the scheduler's heartbeat, as nothing else runs during a long task."""
    noted_at = monotonic()

    def note(done: int, total: int | None) -> None:
        nonlocal noted_at
        if monotonic() - noted_at > HEARTBEAT_SECONDS:
            noted_at = monotonic()
            beat_of_scheduler()

    return note


def _next(at: time) -> datetime:
    now = timezone.localtime()
    run = datetime.combine(now.date(), at, tzinfo=now.tzinfo)
    return run if run > now else run + timedelta(days=1)

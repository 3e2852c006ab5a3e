"""Heartbeats: a row for each worker and scheduler, renewed while it lives and deleted at a clean shutdown."""

import os
import socket
from datetime import datetime, timedelta
from uuid import uuid4

from django.utils import timezone

from bot.models import Heartbeat
from config.db.rows import insert_rows

Kind = Heartbeat.Kind
# Timeouts after which a process counts as dead. A worker beats every 8 s; a scheduler's task runs every minute, and
# django-q2 polls for due tasks every half minute.
ALIVE = {Kind.WORKER: timedelta(seconds=30), Kind.SCHEDULER: timedelta(minutes=3)}
# After this the daily purge deletes its row.
KEPT = timedelta(days=1)
# Tells the tasks of a scheduler, which run in processes of their own, its name.
SCHEDULER_VARIABLE = "PARLEY_SCHEDULER"
HOST_LENGTH = 60


def host_name() -> str:
    """Return the name of this machine or container, with which its processes' names begin."""
    return f"{socket.gethostname()[:HOST_LENGTH]}:"


def process_name() -> str:
    """Return a unique name: host, process id and a random part."""
    return f"{host_name()}{os.getpid()}:{uuid4().hex[:8]}"


def beat(kind: Heartbeat.Kind, process: str) -> None:
    """Record a heartbeat.

    Raises:
        django.db.Error: it could not be recorded.
    """
    now = timezone.now()
    row = {"kind": kind.value, "process": process, "started_at": now, "seen_at": now}
    insert_rows(Heartbeat, [row], on_conflict="(process) DO UPDATE SET seen_at = excluded.seen_at")


def beat_of_scheduler() -> None:
    """Record a heartbeat of the scheduler that runs this task; do nothing outside of one (by hand, in a test)."""
    if process := os.environ.get(SCHEDULER_VARIABLE):
        beat(Kind.SCHEDULER, process)


def end(process: str) -> None:
    """Delete the heartbeat of a process at its clean shutdown.

    Raises:
        django.db.Error: it could not be deleted; the process counts as dead soon.
    """
    Heartbeat.objects.filter(process=process).delete()


def alive_since(kind: Heartbeat.Kind, now: datetime) -> datetime:
    """Return the oldest heartbeat with which a process of this kind counts as alive."""
    return now - ALIVE[kind]

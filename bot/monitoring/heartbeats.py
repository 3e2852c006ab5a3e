"""Heartbeats: a row for each worker and scheduler, renewed while it lives and deleted when it ends in order."""

import os
import socket
from datetime import datetime, timedelta
from uuid import uuid4

from django.utils import timezone

from bot.models import Heartbeat
from config.db.rows import insert_rows

Kind = Heartbeat.Kind
# Whoever was not seen for longer is taken for dead. A worker is seen every 8 s; a scheduler's task runs every minute,
# and django-q2 looks for what is due every half.
ALIVE = {Kind.WORKER: timedelta(seconds=30), Kind.SCHEDULER: timedelta(minutes=3)}
# Then its row goes with the daily purge.
KEPT = timedelta(days=1)
# How the tasks of a scheduler know whose they are: they run in processes of their own.
SCHEDULER_VARIABLE = "PARLEY_SCHEDULER"
HOST_LENGTH = 60


def host_name() -> str:
    """Return this machine's (or container's) name as the names of its processes begin."""
    return f"{socket.gethostname()[:HOST_LENGTH]}:"


def process_name() -> str:
    """Return a name no other process has: host, process id and a random part."""
    return f"{host_name()}{os.getpid()}:{uuid4().hex[:8]}"


def beat(kind: Heartbeat.Kind, process: str) -> None:
    """Note that a process lives.

    Raises:
        django.db.Error: it could not be noted.
    """
    now = timezone.now()
    row = {"kind": kind.value, "process": process, "started_at": now, "seen_at": now}
    insert_rows(Heartbeat, [row], on_conflict="(process) DO UPDATE SET seen_at = excluded.seen_at")


def beat_of_scheduler() -> None:
    """Note that the scheduler lives whose task this is; outside of one (by hand, in a test) nothing."""
    if process := os.environ.get(SCHEDULER_VARIABLE):
        beat(Kind.SCHEDULER, process)


def end(process: str) -> None:
    """Forget a process that ends in order.

    Raises:
        django.db.Error: it could not be forgotten; it counts as dead soon.
    """
    Heartbeat.objects.filter(process=process).delete()


def alive_since(kind: Heartbeat.Kind, now: datetime) -> datetime:
    """Return when a process of this kind must have been seen last to be taken for alive."""
    return now - ALIVE[kind]

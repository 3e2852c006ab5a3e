"""What runs by itself: django-q2 schedules, and the functions they call."""

import logging
from datetime import datetime, time, timedelta
from typing import Any

from django.db import connections
from django.utils import timezone
from django_q.models import Schedule

from bot.retention import purge_expired

logger = logging.getLogger(__name__)

PURGE_NAME = "purge expired data"
# In the operator's time zone, when few people write.
PURGE_TIME = time(3, 30)


def ensure_schedules() -> None:
    """Create the schedules that are missing. What an operator changed in the admin stays."""
    if not Schedule.objects.filter(name=PURGE_NAME).exists():
        Schedule.objects.create(
            name=PURGE_NAME, func="bot.schedules.purge", schedule_type=Schedule.DAILY, next_run=_next(PURGE_TIME)
        )


def ensure_schedules_after_migrate(using: str, **kwargs: Any) -> None:
    """Create missing schedules after `migrate`, so that no deployment step can be forgotten."""
    if Schedule._meta.db_table in connections[using].introspection.table_names():
        ensure_schedules()


def purge() -> None:
    """Delete everything whose time is over (the daily schedule's task)."""
    summary = purge_expired()
    logger.info("purge_done", extra=summary.as_counts())


def _next(at: time) -> datetime:
    now = timezone.localtime()
    run = datetime.combine(now.date(), at, tzinfo=now.tzinfo)
    return run if run > now else run + timedelta(days=1)

"""When people last wrote to a bot: known to a quarter of an hour, so that a chat costs one write and not one a turn."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import models, transaction
from django.db.models import Case, Value, When
from django.utils import timezone

from users.models import User

STEP = timedelta(minutes=15)


def is_due(last: datetime | None, at: datetime) -> bool:
    """Return whether somebody who wrote is to be noted again: after a while, and on each day that they write."""
    if last is None or at - last >= STEP:
        return True
    return at > last and timezone.localdate(at) != timezone.localdate(last)


def note_seen(people: Mapping[int, datetime]) -> None:
    """Note when people, by id, have written. One statement, and none for nobody.

    It waits for no lock, so that it can be the last of any transaction: whose row somebody holds is noted next time.
    """
    if not people:
        return
    with transaction.atomic():
        free = User.objects.filter(pk__in=people).order_by("pk").select_for_update(skip_locked=True, no_key=True)
        times = (When(pk=person, then=Value(at)) for person, at in people.items())
        User.objects.filter(pk__in=free.values("pk")).update(
            last_seen_at=Case(*times, output_field=models.DateTimeField())
        )

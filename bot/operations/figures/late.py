"""Find the days that are over and have been counted, and to which rows were added since."""

from collections.abc import Collection
from datetime import date

from django.db import models
from django.db.models import Max
from django.db.models.functions import TruncDate
from django.utils import timezone

from bot.models import DailyFigures, InboundMessage, OutboundMessage
from usage.days import day_start, today

# Rows get their ids before they are committed: so many before the last known one are looked at again.
MARGIN = 10_000


def late_days(days: Collection[date]) -> set[date]:
    """Return those of the days whose newest row is newer than the one that was counted. Three queries.

    Read are the rows since the last count, whichever day that was of, by their ids: to be called each minute.
    """
    if not days:
        return set()
    kept = list(DailyFigures.objects.of("").between(min(days), today()))
    late = set()
    for model, column, counted in (
        (InboundMessage, "received_at", {row.day: row.last_inbound for row in kept}),
        (OutboundMessage, "created_at", {row.day: row.last_outbound for row in kept}),
    ):
        since = max((last for last in counted.values() if last is not None), default=0) - MARGIN
        newest = _newest_by_day(model, column, min(days), since)
        late |= {day for day, last in newest.items() if day in days and day in counted and last > (counted[day] or 0)}
    return late


def _newest_by_day(model: "type[models.Model]", column: str, first: date, since: int) -> dict[date, int]:
    """Return the greatest id of each day that is over, among the rows after an id."""
    period = {f"{column}__gte": day_start(first), f"{column}__lt": day_start(today())}
    rows = model._default_manager.filter(pk__gt=since, **period).order_by()
    day = TruncDate(column, tzinfo=timezone.get_default_timezone())
    return dict(rows.annotate(on=day).values_list("on").annotate(Max("pk")))

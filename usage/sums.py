"""What usage records come to, by day, bot, kind and model: summed up by the database."""

from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from usage.days import KEYS, SUMS
from usage.managers import UsageQuerySet

# In the order of SUMS. The names differ from the columns', which an aggregate may not shadow.
AGGREGATES = {
    "count_calls": Count("pk"),
    "sum_input": Sum("input_tokens"),
    "sum_cached": Sum("cached_input_tokens"),
    "sum_output": Sum("output_tokens"),
    "sum_cost": Sum("cost_micros", default=0),
    "count_unpriced": Count("pk", filter=Q(cost_micros=None)),
}


def sums_by_day(records: UsageQuerySet) -> list[dict[str, Any]]:
    """Return the sums of records, each a mapping of KEYS and SUMS. One query."""
    day = TruncDate("created_at", tzinfo=timezone.get_default_timezone())
    grouped: Any = records.order_by().values(*KEYS[1:], day=day)
    rows = grouped.annotate(**AGGREGATES).values_list(*KEYS, *AGGREGATES)
    return [dict(zip((*KEYS, *SUMS), row, strict=True)) for row in rows]

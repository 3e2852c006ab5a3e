"""The repository of usage: what was spent on a day, by whom, on which model. A day is one in settings.TIME_ZONE."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from config.db.rows import insert_rows

if TYPE_CHECKING:
    from usage.models import UsageRecord  # noqa: F401 (quoted below)
    from users.models import User


DETACHED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over usage records. completions counts completions; unpriced the records that cost_micros leaves out."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0
    completions: int = 0
    unpriced: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost_micros + other.cost_micros,
            self.completions + other.completions,
            self.unpriced + other.unpriced,
        )


@dataclass(frozen=True, slots=True)
class DayTotals:
    """The totals of one day."""

    day: date
    totals: Totals


@dataclass(frozen=True, slots=True)
class ModelTotals:
    """The totals of one model, as it was asked for."""

    model: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class UserStats:
    """What one user used: per day, oldest first, idle days included; per model, the most expensive first."""

    total: Totals
    per_day: list[DayTotals] = field(default_factory=list)
    per_model: list[ModelTotals] = field(default_factory=list)


def day_start(day: date) -> datetime:
    """Return when day begins in settings.TIME_ZONE; where the clocks skip midnight, the moment they skip it."""
    # In UTC: Python compares a skipped or repeated midnight with another zone's times as never equal.
    return datetime.combine(day, time.min, tzinfo=timezone.get_default_timezone()).astimezone(UTC)


def today() -> date:
    """Return today's date in settings.TIME_ZONE."""
    return timezone.localdate(timezone=timezone.get_default_timezone())


def _sums() -> dict[str, Any]:
    from usage.models import UsageKind

    return {
        # The names differ from the columns', which an aggregate may not shadow.
        "sum_input": Coalesce(Sum("input_tokens"), 0),
        "sum_output": Coalesce(Sum("output_tokens"), 0),
        "sum_cost": Coalesce(Sum("cost_micros"), 0),
        "count_completions": Count("pk", filter=Q(kind=UsageKind.COMPLETION)),
        "count_unpriced": Count("pk", filter=Q(cost_micros=None)),
    }


def _totals(row: dict[str, Any]) -> Totals:
    return Totals(row["sum_input"], row["sum_output"], row["sum_cost"], row["count_completions"], row["count_unpriced"])


class UsageQuerySet(models.QuerySet["UsageRecord"]):
    """Conditions on usage records that chain."""

    def between(self, first: date, last: date) -> Self:
        """Keep the records of the days first to last, both included: one range of created_at."""
        return self.filter(created_at__gte=day_start(first), created_at__lt=day_start(last + timedelta(days=1)))

    def older_than(self, cutoff: datetime) -> Self:
        """Keep the records from before cutoff."""
        return self.filter(created_at__lt=cutoff)

    def last_days(self, days: int) -> Self:
        """Keep the records of the last `days` days, today included.

        Raises:
            ValueError: days is less than 1.
        """
        if days < 1:
            raise ValueError(f"days must be at least 1 (found {days}).")
        last = today()
        return self.between(last - timedelta(days=days - 1), last)

    def unpriced(self) -> Self:
        """Keep the records whose price was not known: what an index of its own has."""
        return self.filter(cost_micros=None)

    def of_model(self, name: str) -> Self:
        """Keep the records of calls that asked a model or were answered by it."""
        return self.filter(Q(model=name) | Q(model_answered=name))

    def totals(self) -> Totals:
        """Return the sums over these records. One query."""
        return _totals(self.aggregate(**_sums()))

    def most_expensive_people(self, most: int) -> list[tuple[int, int]]:
        """Return (person's id, micro-dollars) of those whose records cost most, at most so many. One query."""
        people = self.exclude(user=None).values("user").order_by().annotate(cost=Coalesce(Sum("cost_micros"), 0))
        return list(people.filter(cost__gt=0).order_by("-cost", "user").values_list("user", "cost")[:most])


_UsageManager = models.Manager.from_queryset(UsageQuerySet)


class UsageManager(_UsageManager["UsageRecord"]):
    """Totals of days and people."""

    def record_many(self, records: Sequence[Mapping[str, Any]]) -> set[str]:
        """Store many records, each a mapping of column to value, in one statement; return the call_id of each new one.

        A call that is recorded already stays as it is: only who recorded it first may count its cost.
        """
        new = insert_rows(self.model, records, on_conflict="(call_id) DO NOTHING", returning=("call_id",))
        return {call_id for (call_id,) in new}

    def detach(self, user: "User") -> int:
        """Make a person's records nobody's, in short batches; return how many there were. The sums of days stay."""
        detached = 0
        while keys := list(
            self.filter(user=user).order_by("created_at").values_list("pk", flat=True)[:DETACHED_AT_ONCE]
        ):
            detached += self.filter(pk__in=keys).update(user=None)
        return detached

    def get_daily_total(self, user: "User", date: date) -> Totals:
        """Return what the user used on a day. One query."""
        return self.filter(user=user).between(date, date).totals()

    def get_global_daily_total(self, date: date) -> Totals:
        """Return what everybody used on a day, however long ago. One query."""
        return sum(self._everybodys("kind", date, date).values(), Totals())

    def get_global_models(self, first: date, last: date) -> list[ModelTotals]:
        """Return what everybody used on the days first to last, of each model, the most expensive first. One query."""
        models = self._everybodys("model", first, last)
        return sorted((ModelTotals(*item) for item in models.items()), key=_most_expensive_first)

    def get_user_stats(self, user: "User", days: int) -> UserStats:
        """Return what the user used in the last `days` days, today included. One query.

        Raises:
            ValueError: days is less than 1.
        """
        day = TruncDate("created_at", tzinfo=timezone.get_default_timezone())
        records = self.filter(user=user).last_days(days)
        rows: list[Any] = list(records.values("model", day=day).order_by().annotate(**_sums()))
        per_day = _grouped(rows, "day")
        per_model = _grouped(rows, "model")
        return UserStats(
            total=sum(per_day.values(), Totals()),
            per_day=[DayTotals(date, per_day.get(date, Totals())) for date in _last_days(days)],
            per_model=sorted(
                (ModelTotals(model, totals) for model, totals in per_model.items()),
                key=_most_expensive_first,
            ),
        )

    def _everybodys(self, key: str, first: date, last: date) -> dict[str, Totals]:
        """Return the sums of some days by a column that records and days of usage have."""
        from usage.models import UsageDay

        kept: Any = self.between(first, last).order_by().values(key).annotate(**_sums())
        sums = ("sum_input", "sum_output", "sum_cost", "count_completions", "count_unpriced")
        folded: Any = UsageDay.objects.between(first, last).with_answers()
        columns = ("input_tokens", "output_tokens", "cost_micros", "answers", "unpriced")
        groups: dict[str, Totals] = {}
        for name, *amounts in kept.values_list(key, *sums).union(folded.values_list(key, *columns), all=True):
            groups[name] = groups.get(name, Totals()) + Totals(*amounts)
        return groups


def _most_expensive_first(row: ModelTotals) -> tuple[int, str]:
    return -row.totals.cost_micros, row.model


def _last_days(count: int) -> Iterable[date]:
    last = today()
    return (last - timedelta(days=ago) for ago in reversed(range(count)))


def _grouped(rows: list[Any], key: str) -> dict[Any, Totals]:
    groups: dict[Any, Totals] = {}
    for row in rows:
        groups[row[key]] = groups.get(row[key], Totals()) + _totals(row)
    return groups

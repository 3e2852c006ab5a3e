"""Model calls: what each cost, and what they come to by day, person, bot and model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.db.rows import insert_rows
from usage.days import KEYS, SUMS, day_start, today
from usage.models.days import UsageDay
from usage.models.kinds import UsageKind
from usage.totals import DayTotals, ModelTotals, Totals, UserStats

if TYPE_CHECKING:
    from users.models import User

DETACHED_AT_ONCE = 1_000
# In the order of SUMS, the answers last. The names differ from the columns', which an aggregate may not shadow.
AGGREGATES = {
    "count_calls": Count("pk"),
    "sum_input": Sum("input_tokens", default=0),
    "sum_cached": Sum("cached_input_tokens", default=0),
    "sum_output": Sum("output_tokens", default=0),
    "sum_cost": Sum("cost_micros", default=0),
    "count_unpriced": Count("pk", filter=Q(cost_micros=None)),
    "count_answers": Count("pk", filter=Q(kind=UsageKind.COMPLETION)),
}


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
        sums = self.aggregate(**AGGREGATES)
        return Totals.of_row([sums[name] for name in AGGREGATES])

    def sums_by(self, *keys: str) -> Any:
        """Return the sums of each group of records, as rows of keys (among them `day`) and AGGREGATES."""
        days = {"day": TruncDate("created_at", tzinfo=timezone.get_default_timezone())} if "day" in keys else {}
        grouped: Any = self.order_by().values(*(key for key in keys if key != "day"), **days)
        return grouped.annotate(**AGGREGATES).values_list(*keys, *AGGREGATES)

    def sums_by_day(self) -> list[dict[str, Any]]:
        """Return the sums of records, each a mapping of KEYS and SUMS. One query."""
        return [dict(zip((*KEYS, *SUMS), row, strict=False)) for row in self.sums_by(*KEYS)]

    def most_expensive_people(self, most: int) -> list[tuple[int, int]]:
        """Return (person's id, micro-dollars) of those whose records cost most, at most so many. One query."""
        people = self.exclude(user=None).values("user").order_by().annotate(cost=AGGREGATES["sum_cost"])
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

    def detach(self, user: User) -> int:
        """Make a person's records nobody's, in short batches; return how many there were. The sums of days stay."""
        detached = 0
        while keys := list(
            self.filter(user=user).order_by("created_at").values_list("pk", flat=True)[:DETACHED_AT_ONCE]
        ):
            detached += self.filter(pk__in=keys).update(user=None)
        return detached

    def get_daily_total(self, user: User, date: date) -> Totals:
        """Return what the user used on a day. One query."""
        return self.filter(user=user).between(date, date).totals()

    def get_global_daily_total(self, date: date) -> Totals:
        """Return what everybody used on a day, however long ago. One query."""
        return sum(self._everybodys("kind", date, date).values(), Totals())

    def get_global_models(self, first: date, last: date) -> list[ModelTotals]:
        """Return what everybody used on the days first to last, of each model, the most expensive first. One query."""
        return _dearest(self._everybodys("model", first, last))

    def get_user_stats(self, user: User, days: int) -> UserStats:
        """Return what the user used in the last `days` days, today included. One query.

        Raises:
            ValueError: days is less than 1.
        """
        per_day: dict[date, Totals] = {today() - timedelta(days=ago): Totals() for ago in reversed(range(days))}
        per_model: dict[str, Totals] = {}
        rows = self.filter(user=user).last_days(days).sums_by("day", "model")
        for day, model, *sums in rows:
            totals = Totals.of_row(sums)
            per_day[day] = per_day.get(day, Totals()) + totals
            per_model[model] = per_model.get(model, Totals()) + totals
        return UserStats(
            total=sum(per_day.values(), Totals()),
            per_day=[DayTotals(*item) for item in per_day.items()],
            per_model=_dearest(per_model),
        )

    def _everybodys(self, key: str, first: date, last: date) -> dict[str, Totals]:
        """Return the sums of some days by a column that records and days of usage have."""
        folded: Any = UsageDay.objects.between(first, last).with_answers().values_list(key, *SUMS, "answers")
        groups: dict[str, Totals] = {}
        for name, *sums in self.between(first, last).sums_by(key).union(folded, all=True):
            groups[name] = groups.get(name, Totals()) + Totals.of_row(sums)
        return groups


def _dearest(models: Mapping[str, Totals]) -> list[ModelTotals]:
    rows = (ModelTotals(*item) for item in models.items())
    return sorted(rows, key=lambda row: (-row.totals.cost_micros, row.model))


class UsageRecord(models.Model):
    """One call of a model: its tokens and its cost in micro-dollars. Written once; a cost that is known never changes.

    cost_micros is None when the price was not known: that is not the same as free. See usage/repricing.py.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="usage_records",
        db_index=False,
        verbose_name=_("person"),
    )
    bot = models.CharField(_("bot"), max_length=50, blank=True, default="")
    kind = models.CharField(_("kind"), max_length=16, choices=UsageKind.choices, default=UsageKind.COMPLETION)
    model = models.CharField(_("model asked"), max_length=200)
    model_answered = models.CharField(_("model that answered"), max_length=200, blank=True, default="")
    input_tokens = models.PositiveIntegerField(_("input tokens"), help_text=_("Cached ones included."))
    cached_input_tokens = models.PositiveIntegerField(_("cached input tokens"), default=0)
    cache_write_tokens = models.PositiveIntegerField(
        _("cache write tokens"),
        default=0,
        db_default=0,
        help_text=_("Input tokens that the provider has written into its cache."),
    )
    output_tokens = models.PositiveIntegerField(_("output tokens"))
    cost_micros = models.BigIntegerField(
        _("cost"), null=True, blank=True, help_text=_("In micro-dollars. Empty: the price was not known.")
    )
    price = models.JSONField(_("price"), default=dict, blank=True, help_text=_("The price it was computed with."))
    turn_key = models.BigIntegerField(_("turn"), null=True, blank=True)
    # What names this one call: recording it again (a commit whose answer was lost) changes nothing.
    call_id = models.CharField(_("call"), max_length=32, unique=True, null=True, blank=True, editable=False)
    budget_micros = models.BigIntegerField(
        _("counted in budgets"),
        null=True,
        blank=True,
        help_text=_("The cost; while that is not known, what it is taken to be."),
    )
    budget_day = models.DateField(_("budget's day"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, db_index=True)

    objects = UsageManager()

    class Meta:
        verbose_name = _("usage record")
        verbose_name_plural = _("usage records")
        indexes = [
            models.Index(fields=["user", "created_at"], name="usage_record_of_user"),
            # Of no size, and nothing to write, where every price is known.
            models.Index(fields=["id"], name="usage_record_unpriced", condition=Q(cost_micros=None)),
        ]

    def __str__(self) -> str:
        return f"usage record {self.pk}"

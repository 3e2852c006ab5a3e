"""Daily figures, kept after the messages they count were deleted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config.db.rows import insert_rows

KEYS = ("bot", "day")
# Columns that must not decrease when a finished day is counted again, because rows are purged and erased later.
NO_LESS = ("received", "sent", "input_tokens")


class DailyFiguresQuerySet(models.QuerySet["DailyFigures"]):
    """Daily figures."""

    def between(self, first: date, last: date) -> Self:
        """Keep the days first to last, both included."""
        return self.filter(day__gte=first, day__lte=last)

    def over(self) -> Self:
        """Keep those that were counted after the end of their day."""
        return self.filter(is_over=True)

    def of(self, bot: str) -> Self:
        """Keep those of one bot (its slug), or of all bots together ("")."""
        return self.filter(bot=bot)

    def store(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Upsert figures, each a mapping of column to value, unless the stored row is more complete; return how many.

        One statement, idempotent. Lock order: rows by KEYS.
        """
        ordered = sorted(({**row, "day": row["day"].isoformat()} for row in rows), key=_place)
        table = self.model._meta.db_table
        columns = [field.attname for field in self.model._meta.concrete_fields if not field.primary_key]
        changed = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in KEYS)
        complete = " AND ".join(f"excluded.{name} >= {table}.{name}" for name in NO_LESS)
        # A late count of a day that had not ended replaces nothing.
        newer = f"excluded.is_over >= {table}.is_over AND (NOT {table}.is_over OR {complete})"
        conflict = f"({', '.join(KEYS)}) DO UPDATE SET {changed} WHERE {newer}"
        return len(insert_rows(self.model, ordered, on_conflict=conflict, returning=("day",)))


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[key] for key in KEYS)


class DailyFigures(models.Model):
    """The figures of one day (in settings.TIME_ZONE), of one bot or of all together; of no person.

    Written during the day and once after its end (bot/operations/figures/folding.py). Times are from a message's
    arrival to the end of its reply. The ids are of the day's first and last message, so that its list is read by the
    primary key: the inbox and the outbox have no index on times.
    """

    day = models.DateField(_("day"))
    bot = models.CharField(_("bot"), max_length=50, blank=True, default="", help_text=_("Empty: all bots together."))
    # False: counted during the day.
    is_over = models.BooleanField(default=True)
    counted_at = models.DateTimeField(default=timezone.now)
    # False: the messages were deleted before they were counted; costs are kept longer.
    has_messages = models.BooleanField(default=True)
    received = models.PositiveBigIntegerField(default=0)
    answered = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    people = models.PositiveBigIntegerField(default=0)
    sent = models.PositiveBigIntegerField(default=0)
    unsent = models.PositiveBigIntegerField(default=0)
    median_ms = models.PositiveBigIntegerField(null=True)
    p95_ms = models.PositiveBigIntegerField(null=True)
    # {error code: messages} and {model: micro-dollars}.
    failures = models.JSONField(default=dict)
    costs = models.JSONField(default=dict)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)
    cost_micros = models.BigIntegerField(default=0)
    first_inbound = models.BigIntegerField(null=True)
    last_inbound = models.BigIntegerField(null=True)
    first_outbound = models.BigIntegerField(null=True)
    last_outbound = models.BigIntegerField(null=True)

    objects = DailyFiguresQuerySet.as_manager()

    class Meta:
        verbose_name = _("figures of a day")
        verbose_name_plural = _("figures of days")
        # The admin has no page for single rows.
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["bot", "day"], name="daily_figures_once")]

    def __str__(self) -> str:
        return f"figures of {self.day}"

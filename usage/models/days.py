"""Sums of usage records that are not kept any more, by day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Self

from django.db import models
from django.db.models import Case, F, When
from django.utils.translation import gettext_lazy as _

from config.db.rows import insert_rows
from usage.days import KEYS, SUMS
from usage.models.kinds import UsageKind


class UsageDayQuerySet(models.QuerySet["UsageDay"]):
    """What days came to."""

    def between(self, first: date, last: date) -> Self:
        """Keep the days first to last, both included."""
        return self.filter(day__gte=first, day__lte=last)

    def with_answers(self) -> Self:
        """Add how many of the calls were completions, as `answers`."""
        return self.annotate(
            answers=Case(
                When(kind=UsageKind.COMPLETION, then=F("calls")), default=0, output_field=models.BigIntegerField()
            )
        )

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add sums to their days, each a mapping of KEYS and SUMS, no key twice. Part of the caller's transaction.

        One statement. Lock order: KEYS, so that several at once cannot deadlock.
        """
        ordered = sorted(
            ({**row, "day": row["day"].isoformat()} for row in rows), key=lambda row: tuple(row[key] for key in KEYS)
        )
        sums = ", ".join(f"{name} = usage_usageday.{name} + excluded.{name}" for name in SUMS)
        insert_rows(self.model, ordered, on_conflict=f"({', '.join(KEYS)}) DO UPDATE SET {sums}")


class UsageDay(models.Model):
    """What usage records of one day came to that are not kept any more, without whose they were.

    Written when old records are deleted (usage/retention.py), so that totals stay. calls counts the records, unpriced
    those of them that cost_micros leaves out.
    """

    day = models.DateField(_("day"), help_text=_("In TIME_ZONE, as everywhere."))
    bot = models.CharField(_("bot"), max_length=50, blank=True, default="")
    kind = models.CharField(_("kind"), max_length=16, choices=UsageKind.choices)
    model = models.CharField(_("model asked"), max_length=200)
    calls = models.PositiveBigIntegerField(_("calls"))
    input_tokens = models.PositiveBigIntegerField(_("input tokens"))
    cached_input_tokens = models.PositiveBigIntegerField(_("cached input tokens"))
    output_tokens = models.PositiveBigIntegerField(_("output tokens"))
    cost_micros = models.BigIntegerField(_("cost"), help_text=_("In micro-dollars."))
    unpriced = models.PositiveBigIntegerField(_("unpriced"))

    objects = UsageDayQuerySet.as_manager()

    class Meta:
        verbose_name = _("day of usage")
        verbose_name_plural = _("days of usage")
        constraints = [models.UniqueConstraint(fields=["day", "bot", "kind", "model"], name="usage_day_once")]

    def __str__(self) -> str:
        return f"usage of {self.day}"

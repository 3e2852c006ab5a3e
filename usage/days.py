"""The repository of days of usage: what records that are not kept any more came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Case, F, When

from config.db.rows import insert_rows

if TYPE_CHECKING:
    from usage.models import UsageDay  # noqa: F401 (named in the queryset's type)

# What names a row, in the order in which rows are locked.
KEYS = ("day", "bot", "kind", "model")
SUMS = ("calls", "input_tokens", "cached_input_tokens", "output_tokens", "cost_micros", "unpriced")


class UsageDayQuerySet(models.QuerySet["UsageDay"]):
    """What days came to."""

    def between(self, first: date, last: date) -> Self:
        """Keep the days first to last, both included."""
        return self.filter(day__gte=first, day__lte=last)

    def with_answers(self) -> Self:
        """Add how many of the calls were completions, as `answers`."""
        from usage.models import UsageKind

        return self.annotate(
            answers=Case(
                When(kind=UsageKind.COMPLETION, then=F("calls")), default=0, output_field=models.BigIntegerField()
            )
        )

    def add(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add sums to their days, each a mapping of KEYS and SUMS, no key twice. Part of the caller's transaction.

        One statement. It locks rows in the order of KEYS, so that several at once cannot deadlock.
        """
        ordered = sorted(({**row, "day": row["day"].isoformat()} for row in rows), key=_place)
        sums = ", ".join(f"{name} = usage_usageday.{name} + excluded.{name}" for name in SUMS)
        insert_rows(self.model, ordered, on_conflict=f"({', '.join(KEYS)}) DO UPDATE SET {sums}")


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[key] for key in KEYS)

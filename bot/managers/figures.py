"""The figures of days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Self

from django.db import models

from config.db.rows import insert_rows

if TYPE_CHECKING:
    from bot.models import DailyFigures  # noqa: F401 (named in the queryset's type)

KEYS = ("bot", "day")
# A count of a day that is over is replaced only by one that saw all that it saw: later rows are purged and erased.
NO_LESS = ("received", "sent", "input_tokens")


class DailyFiguresQuerySet(models.QuerySet["DailyFigures"]):
    """What days came to."""

    def between(self, first: date, last: date) -> Self:
        """Keep the days first to last, both included."""
        return self.filter(day__gte=first, day__lte=last)

    def over(self) -> Self:
        """Keep those that were counted when their day was over."""
        return self.filter(is_over=True)

    def of(self, bot: str) -> Self:
        """Keep those of one bot (its slug), or of all bots together ("")."""
        return self.filter(bot=bot)

    def store(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Store figures, each a mapping of column to value; what is there already stays if it is the more complete.

        One statement, its rows in the order of KEYS: safe twice and in parallel. Returns how many were written.
        """
        ordered = sorted(({**row, "day": row["day"].isoformat()} for row in rows), key=_place)
        table = self.model._meta.db_table
        columns = [field.attname for field in self.model._meta.concrete_fields if not field.primary_key]
        changed = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in KEYS)
        complete = " AND ".join(f"excluded.{name} >= {table}.{name}" for name in NO_LESS)
        # (One that comes late, of the day while it went on, replaces nothing.)
        newer = f"excluded.is_over >= {table}.is_over AND (NOT {table}.is_over OR {complete})"
        conflict = f"({', '.join(KEYS)}) DO UPDATE SET {changed} WHERE {newer}"
        return len(insert_rows(self.model, ordered, on_conflict=conflict, returning=("day",)))


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[key] for key in KEYS)

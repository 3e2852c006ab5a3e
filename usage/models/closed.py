"""Copies of the sums of closed days: a past day's records are summed up once, and again when one of them changes.

A day of a hundred thousand records is read in a second, a row in no time. The row of a day is its lock as well: whoever
sums the day up holds it while reading the records, whoever changes records takes it away before committing. So what is
kept is never older than the records, whatever happens at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from config.db.rows import insert_rows
from usage.days import KEYS, SUMS, today
from usage.models.records import UsageRecord

# As many as one statement sums up in a second or two.
CLOSED_AT_ONCE = 31
COLUMNS = (*KEYS[1:], *SUMS)
Line = Mapping[str, Any]


def last_closed() -> date:
    """Return the last day that may be closed: the day before yesterday, which nobody writes to any more."""
    return today() - timedelta(days=2)


class ClosedDayQuerySet(models.QuerySet["ClosedDay"]):
    """What past days came to."""

    def between(self, first: date, last: date) -> Self:
        """Keep the days first to last, both included."""
        return self.filter(day__gte=first, day__lte=last)

    def summed(self) -> Self:
        """Keep the days whose sums are up to date."""
        return self.filter(zone=settings.TIME_ZONE)

    def reopen(self, days: Iterable[date]) -> None:
        """Have days summed up again. Part of the transaction that changes their records."""
        closed = sorted({day for day in days if day <= last_closed()})
        # Also where there is no row: somebody who is about to insert one has not seen what this transaction changes.
        rows = [{"day": day.isoformat()} for day in closed]
        insert_rows(self.model, rows, on_conflict="(day) DO UPDATE SET zone = ''")
        self.filter(day__in=closed).delete()

    def lines(self, first: date, last: date) -> Iterator[Line]:
        """Yield the sums of the records of some days, each a mapping of KEYS and SUMS; those that are not, are closed.

        One query if they all are closed. No day after last_closed().
        """
        found = dict(self.between(first, last).summed().values_list("day", "lines"))
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        missing = [day for day in days if day not in found]
        for start in range(0, len(missing), CLOSED_AT_ONCE):
            found |= self._close(missing[start : start + CLOSED_AT_ONCE])
        for day in days:
            for values in found[day]:
                yield {"day": day, **dict(zip(COLUMNS, values, strict=True))}

    @transaction.atomic
    def _close(self, days: Sequence[date]) -> dict[date, list[list[Any]]]:
        """Sum up the records of days, and keep the sums."""
        # Lock order: days, as in reopen(). Changing nothing locks a row that is there already.
        untouched = f"(day) DO UPDATE SET zone = {self.model._meta.db_table}.zone"
        insert_rows(self.model, [{"day": day.isoformat()} for day in days], on_conflict=untouched)
        locked = list(self.filter(day__in=days).select_for_update(of=("self",)).order_by("day"))
        lines: dict[date, list[list[Any]]] = {day: [] for day in days}
        # A statement of its own, after the locks: it sees what those who had them have committed.
        for line in UsageRecord.objects.between(days[0], days[-1]).sums_by_day():
            if line["day"] in lines:
                lines[line["day"]].append([line[column] for column in COLUMNS])
        for row in locked:
            row.lines, row.zone = lines[row.day], settings.TIME_ZONE
        self.bulk_update(locked, ["lines", "zone"])
        return lines


class ClosedDay(models.Model):
    """The sums of the usage records of one day that is over, by bot, kind and model: never more than a copy.

    Written when a report asks for the day, deleted in the transaction that changes its records. (UsageDay has the sums
    of records that are not kept any more.)
    """

    day = models.DateField(_("day"), unique=True, help_text=_("In TIME_ZONE, as everywhere."))
    # Whose midnight it was: another TIME_ZONE has other days. Empty: being summed up.
    zone = models.CharField(_("time zone"), max_length=64, blank=True, default="")
    lines = models.JSONField(_("sums"), default=list, blank=True)

    objects = ClosedDayQuerySet.as_manager()

    class Meta:
        verbose_name = _("closed day")
        verbose_name_plural = _("closed days")

    def __str__(self) -> str:
        return f"sums of {self.day}"

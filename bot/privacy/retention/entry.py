"""Entries of the retention table: the periods of one database table, and the steps of the purge."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from config.db.batches import Progress, delete_in_batches

# {name for logs and summaries: rows deleted, or to be deleted}.
Counts = dict[str, int]
NOBODY = "holds nothing of a person"


@dataclass(frozen=True, slots=True)
class Period:
    """A retention period: a fixed length, or days from a setting."""

    length: timedelta = timedelta()
    setting: str = ""

    def get(self) -> timedelta:
        """Return the present length."""
        return timedelta(days=getattr(settings, self.setting)) if self.setting else self.length

    def words(self, defaults: Mapping[str, Any]) -> str:
        """Return the length in words; for a setting its name and its default, from `defaults`."""
        if self.setting:
            return f"{spelled(timedelta(days=defaults[self.setting]))} (`{self.setting}`)"
        return spelled(self.length)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the purge, due at the end of a period.

    takes, since: what it deletes, and what begins the period ("the row", "it was received").
    run(period, dry_run, progress): deletes in short transactions, or only counts; idempotent, safe in parallel and when
    killed at any point.
    """

    takes: str
    period: Period
    since: str
    run: Callable[[timedelta, bool, Progress | None], Counts]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The content of one database table, why it is kept, and for how long.

    stays: until when rows are kept that no step deletes. personal: fields with personal data. other: fields that could
    hold a text but no personal data. rights: how an export and an erasure reach it.
    """

    model: type[models.Model]
    holds: str
    why: str
    steps: tuple[Step, ...] = ()
    stays: str = ""
    personal: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    rights: str = NOBODY

    def kept(self, defaults: Mapping[str, Any]) -> str:
        """Return how long rows are kept, in words. defaults: of the settings, by name."""
        parts = [f"{step.takes}: {step.period.words(defaults)} after {step.since}" for step in self.steps]
        return "; ".join([*parts, *([self.stays] if self.stays else [])])


def days(number: int) -> Period:
    """Return a period of so many days."""
    return Period(timedelta(days=number))


def deletes(
    name: str,
    period: Period,
    since: str,
    due: Callable[[datetime], "models.QuerySet[Any]"],
    takes: str = "the row",
) -> Step:
    """Return a step that deletes rows. due(cutoff): rows whose period began before then. Nothing cascades."""

    def run(length: timedelta, dry_run: bool, progress: Progress | None) -> Counts:
        rows = due(timezone.now() - length)
        return {name: rows.count() if dry_run else delete_in_batches(rows, progress=progress)}

    return Step(takes, period, since, run, name)


def spelled(length: timedelta) -> str:
    """Return a length in words, in days, or in hours if it is not a whole number of days."""
    unit, number = ("day", length.days) if not length.seconds else ("hour", round(length.total_seconds() / 3600))
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"

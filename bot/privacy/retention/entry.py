"""What an entry of the table says of one database table, and what the purge does with its rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from config.db.batches import Progress, delete_in_batches

# How many rows went, or would go, by a name for logs and summaries.
Counts = dict[str, int]
NOBODY = "holds nothing of a person"


@dataclass(frozen=True, slots=True)
class Period:
    """How long something is kept: a length of ours, or so many days as an operator has set."""

    length: timedelta = timedelta()
    setting: str = ""

    def get(self) -> timedelta:
        """Return the length that is in force."""
        return timedelta(days=getattr(settings, self.setting)) if self.setting else self.length

    def words(self, defaults: Mapping[str, Any]) -> str:
        """Return the length in words; a setting's by its name and its default, which defaults has."""
        if self.setting:
            return f"{spelled(timedelta(days=defaults[self.setting]))} (`{self.setting}`)"
        return spelled(self.length)


@dataclass(frozen=True, slots=True)
class Step:
    """Something the purge does when a period is over.

    takes, since: what goes, and what the period begins with ("the row", "it was received").
    run(period, dry_run, progress): does it in short transactions, or only counts; safe twice, in parallel, and when it
    is ended at any point.
    """

    takes: str
    period: Period
    since: str
    run: Callable[[timedelta, bool, Progress | None], Counts]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one database table holds, why, and for how long.

    stays: of what no step takes, until when. personal: the fields that say something of a person. other: fields that
    could hold a text and say nothing of a person. rights: how an export and an erasure reach it.
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
    """Return so many days."""
    return Period(timedelta(days=number))


def deletes(
    name: str,
    period: Period,
    since: str,
    due: Callable[[datetime], "models.QuerySet[Any]"],
    takes: str = "the row",
) -> Step:
    """Return the step that deletes rows. due(cutoff): those whose time began before then. Nothing cascades."""

    def run(length: timedelta, dry_run: bool, progress: Progress | None) -> Counts:
        rows = due(timezone.now() - length)
        return {name: rows.count() if dry_run else delete_in_batches(rows, progress=progress)}

    return Step(takes, period, since, run, name)


def spelled(length: timedelta) -> str:
    """Return a length in days, or hours where it is no whole number of them."""
    unit, number = ("day", length.days) if not length.seconds else ("hour", round(length.total_seconds() / 3600))
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"

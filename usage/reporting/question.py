"""What the report is asked, as its address says it: a period, what it is narrowed to, and what the rows are."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from config.desk.ids import read_id
from usage.days import today

PRESETS = (1, 7, 30, 90)
DEFAULT_DAYS = 30
MOST_DAYS = 366
EARLIEST = date(2000, 1, 1)
LONGEST_NAME = 200
# The id of no person: usage of people who were deleted, and of days whose records are not kept.
NOBODY = 0


class By(StrEnum):
    """What a row is of, and what a report can be narrowed to."""

    DAY = "day"
    PERSON = "person"
    BOT = "bot"
    MODEL = "model"


NAMES = frozenset(str(by) for by in By)
# What comes next when a row is opened: the first of these that the report is not narrowed to yet.
NEXT = (By.PERSON, By.MODEL, By.BOT, By.DAY)
# So narrow a report has few records behind it: they come next.
NARROW = 3


class BadQuestion(ValueError):
    """The address asks what cannot be answered. The message says why."""


@dataclass(frozen=True)
class Question:
    """The days first to last; days: how many, where they are simply the last ones. narrowed: the steps, in order."""

    first: date
    last: date
    by: By
    days: int | None = None
    narrowed: tuple[tuple[By, str], ...] = ()

    @cached_property
    def values(self) -> dict[By, str]:
        """What the report is narrowed to."""
        return dict(self.narrowed)

    @property
    def person(self) -> int | None:
        """The person it is narrowed to, NOBODY, or None for everybody."""
        return int(self.values[By.PERSON]) if By.PERSON in self.values else None

    @property
    def span(self) -> tuple[date, date]:
        """The days that count: the one it is narrowed to, or the whole period."""
        if By.DAY in self.values:
            day = date.fromisoformat(self.values[By.DAY])
            return day, day
        return self.first, self.last

    @property
    def span_days(self) -> int:
        """How many days count."""
        first, last = self.span
        return (last - first).days + 1

    @property
    def free(self) -> tuple[By, ...]:
        """What the rows can be of: what still differs."""
        free = tuple(by for by in By if by not in self.values and not (by is By.DAY and self.span_days == 1))
        return free or (By.DAY,)

    def grouped(self, by: By) -> "Question":
        """Return the same with other rows."""
        return replace(self, by=by)

    def narrow(self, by: By, value: str) -> "Question":
        """Return the question about one of the rows."""
        narrower = replace(self, narrowed=(*self.narrowed, (by, value)))
        return replace(narrower, by=next(by for by in NEXT if by in narrower.free))

    def widen(self, steps: int) -> "Question":
        """Return the question with the first so many of its steps; its rows are what the next step chose from."""
        wider = replace(self, narrowed=self.narrowed[:steps])
        return replace(wider, by=self.narrowed[steps][0]) if steps < len(self.narrowed) else wider

    def query(self, **more: str) -> str:
        """Return the question as the query of an address."""
        period = {"days": str(self.days)} if self.days else {"from": str(self.first), "to": str(self.last)}
        steps = {str(by): value for by, value in self.narrowed}
        return urlencode({**period, **steps, "by": self.by, **more})


def last_days(days: int, *, person: int | None = None, bot: str = "") -> Question:
    """Return the question about the last `days` days, today included: of everybody, or of a person or a bot.

    Raises:
        ValueError: days is less than 1.
    """
    if days < 1:
        raise ValueError(f"days must be at least 1 (found {days}).")
    steps = [(By.PERSON, str(person))] if person is not None else []
    steps += [(By.BOT, bot)] if bot else []
    return Question(today() - timedelta(days=days - 1), today(), By.DAY, days, tuple(steps))


def read_question(asked: Mapping[str, Any]) -> Question:
    """Return the question of an address's query.

    Raises:
        BadQuestion: it makes no sense, or the period is too long.
    """
    first, last, days = _period(asked)
    steps = tuple((By(name), _value(By(name), str(asked[name]))) for name in asked if name in NAMES)
    question = Question(first, last, By.DAY, days, steps)
    day = question.span[0]
    if not first <= day <= last:
        raise BadQuestion(_("The day %(day)s is not in the period.") % {"day": day})
    by = asked.get("by") or (By.DAY if By.DAY in question.free else next(by for by in NEXT if by in question.free))
    if by not in NAMES:
        raise BadQuestion(_("Usage can be shown by day, person, bot or model, and by nothing else."))
    return question.grouped(By(by) if By(by) in question.free else question.free[0])


def _period(asked: Mapping[str, Any]) -> tuple[date, date, int | None]:
    if "from" not in asked and "to" not in asked:
        days = str(asked.get("days") or DEFAULT_DAYS)
        if not (days.isdecimal() and days.isascii() and len(days) < 4 and 1 <= int(days) <= MOST_DAYS):
            raise BadQuestion(_("A number of days from 1 to %(most)d is needed.") % {"most": MOST_DAYS})
        return today() - timedelta(days=int(days) - 1), today(), int(days)
    first, last = read_day(asked.get("from")), read_day(asked.get("to"))
    if first > last:
        raise BadQuestion(_("The period ends before it begins."))
    if first > today():
        raise BadQuestion(_("The period is in the future."))
    last = min(last, today())
    if (last - first).days >= MOST_DAYS:
        raise BadQuestion(_("A period has at most %(most)d days.") % {"most": MOST_DAYS})
    return first, last, None


def read_day(text: Any) -> date:
    """Return a day of an address's query.

    Raises:
        BadQuestion: it is none, or one of long ago.
    """
    try:
        day = date.fromisoformat(str(text))
    except ValueError:
        raise BadQuestion(_("A day is needed as year-month-day, such as 2026-11-26.")) from None
    if day < EARLIEST:
        raise BadQuestion(_("There was no usage before %(day)s.") % {"day": EARLIEST})
    return day


def _value(by: By, text: str) -> str:
    """Return what a report is narrowed to, if there can be such a thing."""
    if by is By.DAY:
        return str(read_day(text))
    if by is By.PERSON and read_id(text) is None:
        raise BadQuestion(_("A person is named by the number of their row."))
    # (PostgreSQL stores no NUL, and takes none in a question either.)
    if len(text) > LONGEST_NAME or "\0" in text:
        raise BadQuestion(_("No bot and no model has such a name."))
    return text

"""What the last days came to: kept figures of those that are over, and the count so far of today."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from bot.models import Bot, DailyFigures
from bot.operations.figures.days import count_day
from bot.operations.figures.folding import SHOWN_DAYS
from bot.privacy.retention.periods import MESSAGE_ROW_DAYS
from usage.days import today

# Whoever looks sees figures no older than this; the scheduler counts today every minute.
FRESH = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class History:
    """The days, the oldest first, today last. waiting: how many of them the scheduler has yet to sum up."""

    days: list[DailyFigures]
    waiting: int

    @property
    def today(self) -> DailyFigures:
        """The last day."""
        return self.days[-1]

    def total(self, name: str) -> int:
        """Return the sum of a figure over all days."""
        return sum(getattr(day, name) for day in self.days)

    def by(self, name: str) -> dict[str, int]:
        """Return the sums of a figure that is a mapping, the greatest first."""
        sums: dict[str, int] = {}
        for day in self.days:
            for key, amount in getattr(day, name).items():
                sums[key] = sums.get(key, 0) + amount
        return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come in or been paid for, as far as is known."""
        return not any(day.received or day.last_outbound or day.costs for day in self.days)


def history(bot: Bot | None = None) -> History:
    """Return the last days, with one bot or with all.

    The scheduler sums today up every minute, and yesterday once it is over. Where it has not, they are counted here.
    What it has not summed up of the days before is unknown: counting a week would take seconds.
    """
    last = today()
    days = [last - timedelta(days=ago) for ago in reversed(range(SHOWN_DAYS))]
    kept = _kept(days[0], last, bot.slug if bot else "")
    # (A bot that had nothing on a day has no row of it.)
    summed_up = {} if bot is None else _summed_up(days[0], last)
    waiting = 0
    found = []
    for day in days:
        ago = (last - day).days
        if day in kept and (kept[day].is_over or _is_fresh(kept[day])):
            found.append(kept[day])
        elif day in summed_up:
            found.append(DailyFigures(day=day, has_messages=summed_up[day]))
        elif ago <= 1:
            found.append(count_day(day, bot, sampled=True))
        else:
            waiting += ago < MESSAGE_ROW_DAYS
            found.append(DailyFigures(day=day, has_messages=False))
    return History(found, waiting)


def is_held(figures: DailyFigures) -> bool:
    """Return whether all messages of a day are there still, to be listed."""
    return (today() - figures.day).days < MESSAGE_ROW_DAYS


def _kept(first: date, last: date, bot: str) -> dict[date, DailyFigures]:
    return {figures.day: figures for figures in DailyFigures.objects.of(bot).between(first, last)}


def _is_fresh(figures: DailyFigures) -> bool:
    return figures.day == today() and timezone.now() - figures.counted_at < FRESH


def _summed_up(first: date, last: date) -> dict[date, bool]:
    return dict(DailyFigures.objects.over().of("").between(first, last).values_list("day", "has_messages"))

"""How a daily budget stands: what of it is used, in which share, and how urgent that is."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F
from django.db.models.expressions import Combinable

USED_UP = 100
# From here on a call that was refused says that what is left is too little for one.
NEARLY_USED_UP = 80
THRESHOLDS = (USED_UP, NEARLY_USED_UP, 50)


def nearly_all(cap: F) -> Combinable:
    """Return 80 percent of a column of budgets, rounded up, without a product that 64 bits could not hold."""
    return cap - cap / 5


@dataclass(frozen=True, slots=True)
class Standing:
    """A daily budget, what is spent of it and what turns have reserved, in micro-dollars. No cap: no budget.

    A budget of 0 is a switch that somebody has turned off: it is used up from the beginning.
    """

    cap_micros: int | None
    spent_micros: int = 0
    reserved_micros: int = 0

    @property
    def used_micros(self) -> int:
        """Spent and reserved together."""
        return self.spent_micros + self.reserved_micros

    @property
    def percent(self) -> int:
        """The share that is used, rounded down, 100 at most."""
        return min(self.used_micros * 100 // self.cap_micros, USED_UP) if self.cap_micros else USED_UP

    @property
    def tone(self) -> str:
        """How urgent it is, as chips and gauges have it; nothing without a budget."""
        if self.cap_micros is None:
            return ""
        return "bad" if self.percent >= USED_UP else "warn" if self.percent >= NEARLY_USED_UP else "good"

    @property
    def nearly_used_up(self) -> bool:
        """Whether it matters if calls are refused: no reservation is there that might be given back."""
        return self.has_spent(NEARLY_USED_UP) and self.reserved_micros <= 0

    def has_spent(self, percent: int) -> bool:
        """Return whether a share is spent, without what is reserved."""
        return self.spent_micros * 100 >= (self.cap_micros or 0) * percent

    def with_reserved(self, micros: int) -> Standing:
        """Return how it stands with so much more reserved."""
        return Standing(self.cap_micros, self.spent_micros, self.reserved_micros + micros)


def reached(budget: Standing, *, refused: bool) -> int | None:
    """Return the highest share in percent (50, 80, 100) that a budget has reached, or None.

    refused: a call was refused lately because of this budget.

    What is spent counts, not what is reserved: that is the most calls might cost, and most of it comes back. For the
    same reason spending alone hardly ever comes to 100 %: the last calls are refused before. So a budget is used up as
    well when, nearly used up and with nothing reserved, it was too small for a call. A budget of 0 reaches no share:
    there is nothing to tell of a switch.
    """
    if not budget.cap_micros:
        return None
    if refused and budget.nearly_used_up:
        return USED_UP
    return next(filter(budget.has_spent, THRESHOLDS), None)

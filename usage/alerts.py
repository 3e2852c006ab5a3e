"""Which share of a day's budget is used, and who tells the operator: each share once a day, decided by the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from config.db.rows import insert_rows

if TYPE_CHECKING:
    from usage.models import SpendAlert  # noqa: F401 (named in the queryset's type)

USED_UP = 100
THRESHOLDS = (USED_UP, 80, 50)
# From here on a call that was refused says that what is left is too little for one.
NEARLY_USED_UP = 80


@dataclass(frozen=True, slots=True)
class BudgetOfDay:
    """How a budget stands: the bot whose it is ("": everybody's) and micro-dollars.

    refused: a call was refused lately because of this budget.
    """

    bot: str
    cap_micros: int
    spent_micros: int
    reserved_micros: int
    refused: bool = False

    @property
    def nearly_used_up(self) -> bool:
        """Whether it matters if calls are refused: no reservation is there that might be given back."""
        return self.spent_micros * 100 >= self.cap_micros * NEARLY_USED_UP and self.reserved_micros <= 0


def reached(budget: BudgetOfDay) -> int | None:
    """Return the highest share in percent (50, 80, 100) that a budget has reached, or None.

    What is spent counts, not what is reserved: that is the most calls might cost, and most of it comes back. For the
    same reason spending alone hardly ever comes to 100 %: the last calls are refused before. So a budget is used up as
    well when, nearly used up and with nothing reserved, it was too small for a call. A budget of 0 is a switch that
    somebody has turned off: it has no shares.
    """
    if budget.cap_micros <= 0:
        return None
    if budget.refused and budget.nearly_used_up:
        return USED_UP
    return next((share for share in THRESHOLDS if budget.spent_micros * 100 >= budget.cap_micros * share), None)


class SpendAlertQuerySet(models.QuerySet["SpendAlert"]):
    """What was raised."""

    def claim(self, bot: str, day: date, percent: int) -> bool:
        """Note that a share is reached; return whether it is ours to say so: nobody has said it, nor a higher one.

        One statement, so that of many processes one is told yes. Until its transaction ends the others wait.
        """
        raised = insert_rows(
            self.model,
            [{"bot": bot, "day": day.isoformat(), "percent": percent, "raised_at": timezone.now()}],
            on_conflict=(
                "(bot, day) DO UPDATE SET percent = excluded.percent, raised_at = excluded.raised_at "
                "WHERE usage_spendalert.percent < excluded.percent"
            ),
            returning=("percent",),
        )
        return bool(raised)

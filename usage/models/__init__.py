"""What every completion cost, what a day may still cost, and the operator's own prices."""

from usage.models.alerts import SpendAlert
from usage.models.budgets import DailySpend, Reservation, ReservationQuerySet
from usage.models.closed import ClosedDay, last_closed
from usage.models.days import UsageDay
from usage.models.kinds import UsageKind
from usage.models.prices import ModelPrice
from usage.models.records import AGGREGATES, UsageQuerySet, UsageRecord

__all__ = [
    "AGGREGATES",
    "ClosedDay",
    "DailySpend",
    "ModelPrice",
    "Reservation",
    "ReservationQuerySet",
    "SpendAlert",
    "UsageDay",
    "UsageKind",
    "UsageQuerySet",
    "UsageRecord",
    "last_closed",
]

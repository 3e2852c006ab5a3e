"""What every completion cost, what a day may still cost, and the operator's own prices."""

from usage.models.budgets import DailySpend, Reservation, SpendAlert
from usage.models.closed import ClosedDay
from usage.models.prices import ModelPrice
from usage.models.records import UsageDay, UsageKind, UsageRecord

__all__ = [
    "ClosedDay",
    "DailySpend",
    "ModelPrice",
    "Reservation",
    "SpendAlert",
    "UsageDay",
    "UsageKind",
    "UsageRecord",
]

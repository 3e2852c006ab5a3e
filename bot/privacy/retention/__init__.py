"""Retention: what is kept, why and for how long (table.py). bot/operations/purge.py deletes by it."""

from bot.privacy.retention.periods import MESSAGE_ROW_DAYS, TOMBSTONE_DAYS
from bot.privacy.retention.reservations import abandoned_reservations, release_abandoned_reservations

__all__ = [
    "MESSAGE_ROW_DAYS",
    "TOMBSTONE_DAYS",
    "abandoned_reservations",
    "release_abandoned_reservations",
]

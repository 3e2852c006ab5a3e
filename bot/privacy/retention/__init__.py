"""What is kept of whom, why and for how long (table.py), and the purge of everything whose time is over (purge.py)."""

from bot.privacy.retention.periods import MESSAGE_ROW_DAYS, TOMBSTONE_DAYS
from bot.privacy.retention.purge import PurgeFailed, purge_expired
from bot.privacy.retention.reservations import abandoned_reservations, release_abandoned_reservations

__all__ = [
    "MESSAGE_ROW_DAYS",
    "TOMBSTONE_DAYS",
    "PurgeFailed",
    "abandoned_reservations",
    "purge_expired",
    "release_abandoned_reservations",
]

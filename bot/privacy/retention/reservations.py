"""Abandoned budget reservations of turns that will not settle them."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from bot.models import InboundMessage
from bot.privacy.retention.periods import RESERVATION_HOURS
from usage.budgets import release
from usage.days import today
from usage.models import Reservation, ReservationQuerySet


def abandoned_reservations() -> ReservationQuerySet:
    """Return the reservations of past days, and those that no turn will settle.

    Pending turns are excluded: the next worker replaces their reservation.
    """
    pending = InboundMessage.objects.filter(pk=OuterRef("turn_key"), state=InboundMessage.State.PENDING)
    long_ago = timezone.now() - timedelta(hours=RESERVATION_HOURS)
    return Reservation.objects.filter(Q(day__lt=today()) | Q(~Exists(pending), created_at__lt=long_ago))


def release_abandoned_reservations(*, dry_run: bool = False) -> int:
    """Release abandoned reservations. Idempotent, safe in parallel."""
    abandoned = abandoned_reservations()
    return abandoned.count() if dry_run else release(abandoned)

"""Reservations of turns that will not settle them any more."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from bot.models import InboundMessage
from bot.privacy.retention.periods import RESERVATION_HOURS
from usage.budgets import release
from usage.days import today
from usage.models import Reservation, ReservationQuerySet


def abandoned_reservations() -> ReservationQuerySet:
    """Return the reservations that bind no budget any more (their day is past), or that nobody will settle.

    A turn that is pending is left alone: whoever takes it over replaces its reservation.
    """
    pending = InboundMessage.objects.filter(pk=OuterRef("turn_key"), state=InboundMessage.State.PENDING)
    long_ago = timezone.now() - timedelta(hours=RESERVATION_HOURS)
    return Reservation.objects.filter(Q(day__lt=today()) | Q(~Exists(pending), created_at__lt=long_ago))


def release_abandoned_reservations(*, dry_run: bool = False) -> int:
    """Give back what abandoned turns have reserved. Safe twice, in parallel."""
    abandoned = abandoned_reservations()
    return abandoned.count() if dry_run else release(abandoned)

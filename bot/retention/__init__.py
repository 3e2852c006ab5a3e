"""How long the inbox, the outbox, leases and access requests are kept, and the purge of everything that is due."""

from dataclasses import asdict, dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from bot.heartbeats import KEPT
from bot.models import AccessRequest, Heartbeat, InboundMessage, Lease, OutboundMessage
from config.batches import FIRST_SIZE, Progress, delete_in_batches
from conversations.retention import cleanup_expired_conversations
from usage.budgets import release
from usage.managers import today
from usage.models import Reservation
from usage.retention import cleanup_old_spends, cleanup_old_usage_metrics
from usage.spending import ReservationQuerySet
from users.retention import cleanup_ended_invites

# A provider redelivers for up to seven days: rows are what recognises it.
MESSAGE_ROW_DAYS = 8
# Texts that never reached "delivered" (no receipts, failed, uncertain) stay a day, for staff.
OUTBOUND_TEXT_DAYS = 1
ACCESS_REQUEST_DAYS = 30
# Longer than any turn takes between its reservation and its end.
RESERVATION_HOURS = 1


@dataclass(frozen=True, slots=True)
class MessagesRemoved:
    """What cleanup_old_messages() removed, or with dry_run would remove."""

    inbound: int
    outbound: int
    outbound_texts: int
    leases: int
    access_requests: int
    heartbeats: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What a whole purge removed, or would remove."""

    conversations: int
    conversation_messages: int
    usage_records: int
    daily_spends: int
    reservations: int
    invites: int
    messages: MessagesRemoved

    def as_counts(self) -> dict[str, int]:
        """Return every number by name, for a log line or a summary."""
        counts = asdict(self)
        messages = counts.pop("messages")
        others = {name: counts.pop(name) for name in ("daily_spends", "reservations", "invites")}
        return {**counts, **messages, **others}


def cleanup_old_messages(*, dry_run: bool = False, progress: Progress | None = None) -> MessagesRemoved:
    """Delete rows of the inbox and outbox that are no longer needed, and empty old texts. Safe twice, in parallel."""
    now = timezone.now()
    old = now - timedelta(days=MESSAGE_ROW_DAYS)
    inbound = InboundMessage.objects.filter(received_at__lt=old).exclude(state=InboundMessage.State.PENDING)
    outbound = OutboundMessage.objects.filter(created_at__lt=old)
    settled = OutboundMessage.objects.exclude(status__in=("queued", "sending"))
    texts = settled.filter(created_at__lt=now - timedelta(days=OUTBOUND_TEXT_DAYS)).exclude(text="")
    chat = InboundMessage.objects.filter(bot=OuterRef("bot"), address=OuterRef("address"), state="pending")
    leases = Lease.objects.filter(~Exists(chat), expires_at__lt=old)
    requests = AccessRequest.objects.filter(last_seen_at__lt=now - timedelta(days=ACCESS_REQUEST_DAYS))
    heartbeats = Heartbeat.objects.filter(seen_at__lt=now - KEPT)
    if dry_run:
        return MessagesRemoved(
            inbound.count(), outbound.count(), texts.count(), leases.count(), requests.count(), heartbeats.count()
        )
    return MessagesRemoved(
        inbound=delete_in_batches(inbound, progress=progress),
        outbound=delete_in_batches(outbound, progress=progress),
        outbound_texts=_empty(texts),
        leases=delete_in_batches(leases, progress=progress),
        access_requests=delete_in_batches(requests, progress=progress),
        heartbeats=delete_in_batches(heartbeats, progress=progress),
    )


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


def purge_expired(*, dry_run: bool = False, progress: Progress | None = None) -> Removed:
    """Delete everything whose time is over, in every app; the daily schedule and `manage.py cleanup` call it."""
    conversations = cleanup_expired_conversations(dry_run=dry_run, progress=progress)
    spends = cleanup_old_spends(settings.USAGE_RETENTION_DAYS, dry_run=dry_run, progress=progress)
    usage = cleanup_old_usage_metrics(settings.USAGE_RETENTION_DAYS, dry_run=dry_run, progress=progress)
    return Removed(
        conversations=conversations.conversations,
        conversation_messages=conversations.messages,
        usage_records=usage.records,
        daily_spends=spends,
        reservations=release_abandoned_reservations(dry_run=dry_run),
        invites=cleanup_ended_invites(dry_run=dry_run, progress=progress),
        messages=cleanup_old_messages(dry_run=dry_run, progress=progress),
    )


def _empty(texts: QuerySet[OutboundMessage]) -> int:
    emptied = 0
    while ids := list(texts.order_by("pk").values_list("pk", flat=True)[:FIRST_SIZE]):
        emptied += OutboundMessage.objects.filter(pk__in=ids).update(text="")
    return emptied

"""What a pending message waits for."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from bot.models import InboundMessage, Lease


@dataclass(frozen=True, slots=True)
class Waiting:
    """The first that holds: its bot is paused, a worker has its chat, or its time has not come. Else any worker."""

    paused: bool = False
    worker: str = ""
    until: datetime | None = None


def waiting_for(message: InboundMessage) -> Waiting:
    """Return what a pending message waits for. One query, none where its bot is paused."""
    if message.bot.paused_at:
        return Waiting(paused=True)
    now = timezone.now()
    lease = Lease.objects.filter(bot=message.bot_id, address=message.address, expires_at__gt=now).first()
    if lease is not None and lease.worker:
        return Waiting(worker=lease.worker)
    later = max(message.available_at, lease.expires_at if lease else message.available_at)
    return Waiting(until=later if later > now else None)

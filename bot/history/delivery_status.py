"""Delivery status of one reply part for the admin: ticks, colour, explanation."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from bot.models import OutboundMessage
from bot.reasons import reason_of

Status = OutboundMessage.Status
TICKS: dict[str, str] = {
    Status.QUEUED: "○",
    Status.SENDING: "○",
    Status.SENT: "✓",
    Status.DELIVERED: "✓✓",
    Status.READ: "✓✓",
    Status.FAILED: "✕",
    Status.UNCERTAIN: "?",
    Status.EXPIRED: "✕",
}
TONES: dict[str, str] = {
    Status.DELIVERED: "good",
    Status.READ: "good",
    Status.FAILED: "bad",
    Status.UNCERTAIN: "warn",
    Status.EXPIRED: "bad",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One part: how far it came (status, in words: label), when, and what went wrong, in words."""

    id: int
    part: int
    status: str
    tick: str
    label: str
    at: datetime
    problem: str = ""
    filename: str = ""


def delivery_of(part: OutboundMessage, channel: str) -> Delivery:
    """Return what became of a part."""
    return Delivery(
        id=part.pk,
        part=part.part,
        status=part.status,
        tick=TICKS.get(part.status, ""),
        label=part.get_status_display(),
        at=part.read_at or part.delivered_at or part.sent_at or part.updated_at,
        problem=_problem(part, channel),
        filename=part.filename,
    )


def _problem(part: OutboundMessage, channel: str) -> str:
    reason = reason_of(part.code, channel)
    if part.status in OutboundMessage.PROBLEMS:
        return str(reason) if reason else part.get_status_display()
    if part.status == Status.QUEUED and reason:
        return _("Not taken yet, and tried again: %(why)s") % {"why": reason.says}
    return ""

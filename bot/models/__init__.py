"""What the bot keeps: bots, the inbox that is also the queue, the outbox, leases, requests for access, and counts."""

from bot.models.access import AccessRequest
from bot.models.bots import Bot, ModelChoice, channel_choices
from bot.models.figures import DailyFigures
from bot.models.messages import ADDRESS_LENGTH, EXTERNAL_ID_LENGTH, InboundMessage, Lease, OutboundMessage
from bot.models.operation import Counter, Heartbeat

__all__ = [
    "ADDRESS_LENGTH",
    "EXTERNAL_ID_LENGTH",
    "AccessRequest",
    "Bot",
    "Counter",
    "DailyFigures",
    "Heartbeat",
    "InboundMessage",
    "Lease",
    "ModelChoice",
    "OutboundMessage",
    "channel_choices",
]

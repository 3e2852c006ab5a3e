"""What the bot keeps: bots, the inbox that is also the queue, the outbox, the leases, and who asked for access."""

from bot.models.access import AccessRequest
from bot.models.bots import Bot, ModelChoice, channel_choices
from bot.models.messages import ADDRESS_LENGTH, EXTERNAL_ID_LENGTH, InboundMessage, Lease, OutboundMessage

__all__ = [
    "ADDRESS_LENGTH",
    "EXTERNAL_ID_LENGTH",
    "AccessRequest",
    "Bot",
    "InboundMessage",
    "Lease",
    "ModelChoice",
    "OutboundMessage",
    "channel_choices",
]

"""The bot's pages in the admin."""

from bot.admin.access import AccessRequestAdmin
from bot.admin.bots import BotAdmin
from bot.admin.invites import InviteAdmin
from bot.admin.messages import InboundMessageAdmin, LeaseAdmin, OutboundMessageAdmin

__all__ = [
    "AccessRequestAdmin",
    "BotAdmin",
    "InboundMessageAdmin",
    "InviteAdmin",
    "LeaseAdmin",
    "OutboundMessageAdmin",
]

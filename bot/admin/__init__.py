"""The bot's pages in the admin."""

from bot.admin.access import AccessRequestAdmin
from bot.admin.bots import BotAdmin
from bot.admin.invites import InviteAdmin
from bot.admin.messages import InboundMessageAdmin, LeaseAdmin, OutboundMessageAdmin
from bot.admin.people import AuditEntryAdmin, PersonAdmin

__all__ = [
    "AccessRequestAdmin",
    "AuditEntryAdmin",
    "BotAdmin",
    "InboundMessageAdmin",
    "InviteAdmin",
    "LeaseAdmin",
    "OutboundMessageAdmin",
    "PersonAdmin",
]

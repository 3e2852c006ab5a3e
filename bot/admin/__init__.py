"""The bot's pages in the admin."""

from bot.admin.access import AccessRequestAdmin
from bot.admin.audit import AuditEntryAdmin
from bot.admin.bots import BotAdmin
from bot.admin.invites import InviteAdmin
from bot.admin.messages import InboundMessageAdmin, LeaseAdmin, OutboundMessageAdmin
from bot.admin.people import PersonAdmin
from bot.admin.schedules import FailureAdmin, QueueAdmin, ScheduleAdmin, SuccessAdmin

__all__ = [
    "AccessRequestAdmin",
    "AuditEntryAdmin",
    "BotAdmin",
    "FailureAdmin",
    "InboundMessageAdmin",
    "InviteAdmin",
    "LeaseAdmin",
    "OutboundMessageAdmin",
    "PersonAdmin",
    "QueueAdmin",
    "ScheduleAdmin",
    "SuccessAdmin",
]

"""The bot's pages in the admin."""

from bot.admin.access import AccessRequestAdmin
from bot.admin.bots import BotAdmin
from bot.admin.invites import InviteAdmin
from bot.admin.messages import InboundMessageAdmin, LeaseAdmin, OutboundMessageAdmin
from bot.admin.people import AuditEntryAdmin, PersonAdmin
from bot.admin.schedules import FailureAdmin, QueueAdmin, ScheduleAdmin, SuccessAdmin
from bot.admin.spends import BudgetAdmin

__all__ = [
    "AccessRequestAdmin",
    "AuditEntryAdmin",
    "BotAdmin",
    "BudgetAdmin",
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

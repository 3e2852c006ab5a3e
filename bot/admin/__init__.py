"""The bot's pages in the admin."""

from bot.admin.access import AccessRequestAdmin
from bot.admin.audit import AuditEntryAdmin
from bot.admin.bots import BotAdmin
from bot.admin.conversations import TranscriptAdmin
from bot.admin.inbox import InboundMessageAdmin
from bot.admin.invites import InviteAdmin
from bot.admin.leases import LeaseAdmin
from bot.admin.outbox import OutboundMessageAdmin
from bot.admin.people import PersonAdmin
from bot.admin.schedules import ScheduleAdmin
from bot.admin.spends import BudgetAdmin
from bot.admin.tasks import FailureAdmin, QueueAdmin, SuccessAdmin

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
    "TranscriptAdmin",
]

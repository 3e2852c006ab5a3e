"""The bot's pages in the admin."""

from bot.admin.bots.pages import BotAdmin
from bot.admin.messages.conversations import TranscriptAdmin
from bot.admin.messages.inbox import InboundMessageAdmin
from bot.admin.messages.leases import LeaseAdmin
from bot.admin.messages.outbox import OutboundMessageAdmin
from bot.admin.operations.schedules import ScheduleAdmin
from bot.admin.operations.spends import BudgetAdmin
from bot.admin.operations.tasks import FailureAdmin, QueueAdmin, SuccessAdmin
from bot.admin.people.access_requests import AccessRequestAdmin
from bot.admin.people.audit import AuditEntryAdmin
from bot.admin.people.invites import InviteAdmin
from bot.admin.people.pages import PersonAdmin

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

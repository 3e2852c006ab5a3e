"""The bot's tables, each with its queryset: bots, inbox, outbox, leases, access requests, figures, counters.

Each method of a queryset is a phrase of the domain, each write is conditional. Raw SQL is for statements that Django
cannot express (an upsert that returns its rows, an update with a value for each row) or would spread over several
round trips in a webhook's request. It runs unchanged on PostgreSQL and SQLite.
"""

from bot.models.access import AccessRequest
from bot.models.bots import Bot, BotQuerySet, channel_choices
from bot.models.choices import ModelChoice, ModelChoiceQuerySet
from bot.models.columns import ADDRESS_LENGTH, EXTERNAL_ID_LENGTH
from bot.models.figures import DailyFigures, DailyFiguresQuerySet
from bot.models.inbox import EMPTIED, VISITOR, AnsweredMessage, InboundMessage, InboundMessageQuerySet, PendingRow
from bot.models.leases import Lease, LeaseLost, LeaseQuerySet, TakenLease
from bot.models.operation import Counter, Heartbeat
from bot.models.outbox import OutboundMessage, OutboundMessageQuerySet, OutboundPart, SendRecord
from bot.models.statuses import NO_REASON, RESOLVED, UNCERTAIN, StatusChange, StatusUpdate, code_of
from bot.models.storing import NewInbound, RowKey

__all__ = [
    "ADDRESS_LENGTH",
    "EMPTIED",
    "EXTERNAL_ID_LENGTH",
    "NO_REASON",
    "RESOLVED",
    "UNCERTAIN",
    "VISITOR",
    "AccessRequest",
    "AnsweredMessage",
    "Bot",
    "BotQuerySet",
    "Counter",
    "DailyFigures",
    "DailyFiguresQuerySet",
    "Heartbeat",
    "InboundMessage",
    "InboundMessageQuerySet",
    "Lease",
    "LeaseLost",
    "LeaseQuerySet",
    "ModelChoice",
    "ModelChoiceQuerySet",
    "NewInbound",
    "OutboundMessage",
    "OutboundMessageQuerySet",
    "OutboundPart",
    "PendingRow",
    "RowKey",
    "SendRecord",
    "StatusChange",
    "StatusUpdate",
    "TakenLease",
    "channel_choices",
    "code_of",
]

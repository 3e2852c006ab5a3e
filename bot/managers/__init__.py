"""The repositories of the bot's tables: each method is a phrase of the domain, each write is conditional.

The statements written out as SQL are the ones Django cannot express (an upsert that returns what it took, one update
with a value for each row) or would spread over several round trips on the way to a webhook's answer. They run
unchanged on PostgreSQL and SQLite.
"""

from bot.managers.bots import BotQuerySet, ModelChoiceQuerySet
from bot.managers.figures import DailyFiguresQuerySet
from bot.managers.inbound import EMPTIED, VISITOR, AnsweredMessage, InboundMessageQuerySet, PendingRow
from bot.managers.leases import LeaseQuerySet, TakenLease
from bot.managers.outbound import OutboundMessageQuerySet, OutboundPart, SendRecord
from bot.managers.statuses import GONE_OUT, NO_REASON, RESOLVED, UNCERTAIN, StatusChange, StatusUpdate
from bot.managers.storing import NewInbound, RowKey

__all__ = [
    "EMPTIED",
    "GONE_OUT",
    "NO_REASON",
    "RESOLVED",
    "UNCERTAIN",
    "VISITOR",
    "AnsweredMessage",
    "BotQuerySet",
    "DailyFiguresQuerySet",
    "InboundMessageQuerySet",
    "LeaseQuerySet",
    "ModelChoiceQuerySet",
    "NewInbound",
    "OutboundMessageQuerySet",
    "OutboundPart",
    "PendingRow",
    "RowKey",
    "SendRecord",
    "StatusChange",
    "StatusUpdate",
    "TakenLease",
]

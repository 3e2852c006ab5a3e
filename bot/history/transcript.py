"""Chat transcript of a conversation, with the cost and delivery status of each answer.

A remembered message (conversations.Message) names its turn, and outlives the inbox and the outbox. Older ones without a
turn are shown alone. It takes a fixed number of queries, each by an index.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from bot.channels.words import joined
from bot.errors import ErrorCode
from bot.history.costs import LONGEST_TURN, cost_line
from bot.history.delivery_status import Delivery, delivery_of
from bot.history.timeline import lasted
from bot.language import grouped
from bot.models import Bot, InboundMessage, OutboundMessage
from bot.privacy.subjects import subject_of
from config.desk.money import exact
from conversations.models import Conversation, Message, MessageRole
from usage.models import UsageRecord

# Limit of shown unanswered messages.
MOST_UNANSWERED = 50
State = InboundMessage.State


@dataclass(frozen=True, slots=True)
class Said:
    """One message. at: when a person's was received, or an answer stored. note: a remark about it.

    Of an answer also: cost, as a line; took, from the question to the last part sent; parts, as sent. inbound_id: the
    person's message in the inbox, 0 if no longer known.
    """

    mine: bool
    at: datetime
    text: str = field(repr=False)
    cost: str = ""
    took: str = ""
    parts: Sequence[Delivery] = ()
    inbound_id: int = 0
    note: str = ""
    problem: bool = False

    @property
    def day(self) -> date:
        """The day it was said on, in the operator's zone."""
        return timezone.localdate(self.at)


@dataclass(frozen=True, slots=True)
class Totals:
    """The cost of the shown answers; unpriced: how many have no known price."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_micros: int = 0
    unpriced: int = 0

    @property
    def tokens(self) -> str:
        """The tokens in and out."""
        return f"{grouped(self.input_tokens)} + {grouped(self.output_tokens)}"

    @property
    def cost(self) -> str:
        """The cost in dollars, as far as known."""
        return exact(self.cost_micros)


@dataclass(frozen=True, slots=True)
class Transcript:
    """One page of a conversation, oldest first. older: `before` for the previous page, or None."""

    said: Sequence[Said]
    totals: Totals
    older: int | None
    first_at: datetime | None
    last_at: datetime | None


@dataclass(slots=True)
class _Turn:
    """A billed turn: its calls, the parts of its reply, and its first message."""

    calls: list[UsageRecord] = field(default_factory=list)
    parts: list[OutboundMessage] = field(default_factory=list)
    first: InboundMessage | None = None


def transcript_of(conversation: Conversation, bot: Bot | None, most: int, before: int | None = None) -> Transcript:
    """Return the newest `most` messages of a conversation, or of those before a message's id.

    bot: its bot, if it still exists. The newest page also has unanswered messages.
    """
    messages = Message.objects.filter(conversation=conversation)
    page = messages.filter(pk__lt=before) if before else messages
    newest = list(page.order_by("-pk")[: most + 1])
    shown = newest[:most][::-1]
    turns = _turns(conversation, shown)
    channel = bot.channel if bot else ""
    said = [_said(message, turns.get(message.turn_key or 0), channel) for message in shown]
    if not before and bot is not None:
        said = sorted([*said, *_unanswered(conversation, bot)], key=lambda one: one.at)
    return Transcript(
        said=said,
        totals=_totals(turns.values()),
        older=shown[0].pk if len(newest) > most else None,
        first_at=_moment(messages.order_by("pk")),
        last_at=_moment(messages.order_by("-pk")),
    )


def _turns(conversation: Conversation, shown: Sequence[Message]) -> dict[int, _Turn]:
    """Return {key: turn} of the billed turns of these messages."""
    keys = {message.turn_key for message in shown if message.turn_key is not None}
    if not keys:
        return {}
    # By person and time, because there is no index on turns.
    calls = UsageRecord.objects.filter(
        user=conversation.user_id,
        bot=conversation.bot,
        created_at__range=(shown[0].created_at - LONGEST_TURN, shown[-1].created_at + LONGEST_TURN),
        turn_key__in=keys,
    )
    turns: dict[int, _Turn] = {}
    for call in calls.order_by("created_at", "pk"):
        turns.setdefault(call.turn_key or 0, _Turn()).calls.append(call)
    for part in OutboundMessage.objects.filter(turn_key__in=list(turns)).order_by("part").defer("text"):
        turns[part.turn_key].parts.append(part)
    for message in InboundMessage.objects.filter(pk__in=list(turns)).defer("payload", "steps"):
        turns[message.pk].first = message
    return turns


def _said(message: Message, turn: _Turn | None, channel: str) -> Said:
    """Return a message with what is known of its turn."""
    one = Said(mine=message.role == MessageRole.USER, at=message.created_at, text=message.content)
    if turn is None:
        return one
    if one.mine:  # a question is stored with its answer, after it was received
        return replace(one, at=turn.first.received_at, inbound_id=turn.first.pk) if turn.first else one
    sent = [part.sent_at for part in turn.parts if part.sent_at]
    took = lasted(max(sent) - turn.first.received_at) if sent and turn.first else ""
    parts = [delivery_of(part, channel) for part in turn.parts]
    return replace(one, cost=cost_line(turn.calls), took=took, parts=parts)


def _unanswered(conversation: Conversation, bot: Bot) -> list[Said]:
    """Return messages without an answer: pending or given up."""
    addresses = [address for channel, address in subject_of(conversation.user).addresses if channel == bot.channel]
    chat = InboundMessage.objects.filter(bot=bot, address__in=addresses)
    # A given up message has a stored apology, and is not in the conversation.
    given_up = Q(turn_key=None) | Q(error_code=ErrorCode.INTERNAL_ERROR)
    rows = [
        *_last(chat.filter(state=State.PENDING, turn_key=None)),
        *_last(chat.filter(given_up, state=State.DEAD)),
    ]
    return [
        Said(
            mine=True,
            at=row.received_at,
            text=words,
            inbound_id=row.pk,
            note=_("could not be answered") if row.state == State.DEAD else _("waits for an answer"),
            problem=row.state == State.DEAD,
        )
        for row in rows
        if (words := joined(row.payload.get("text", ""), row.payload.get("note", "")))
    ]


def _last(rows: "QuerySet[InboundMessage]") -> "QuerySet[InboundMessage]":
    return rows.order_by("-pk")[:MOST_UNANSWERED]


def _totals(turns: Iterable[_Turn]) -> Totals:
    calls = [call for turn in turns for call in turn.calls]
    return Totals(
        input_tokens=sum(call.input_tokens for call in calls),
        output_tokens=sum(call.output_tokens for call in calls),
        cost_micros=sum(call.cost_micros or 0 for call in calls),
        unpriced=sum(call.cost_micros is None for call in calls),
    )


def _moment(messages: "QuerySet[Message]") -> datetime | None:
    return messages.values_list("created_at", flat=True).first()

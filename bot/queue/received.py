"""What webhooks brought: what is to be written of it, what became of it, and what is counted and logged of that."""

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.channels.events import AddressChanged, StatusEvent
from bot.models import InboundMessage, NewInbound, RowKey
from bot.monitoring.metrics import count
from bot.queue.log_ids import chat_hasher
from bot.queue.snapshot import ActiveBot
from config.logs.events import Event, log_events

logger = logging.getLogger(__name__)

PENDING, QUARANTINED = InboundMessage.State.PENDING.value, InboundMessage.State.QUARANTINED.value


@dataclass(slots=True)
class Stored:
    """What is committed of a delivery: the ids of its new rows, and how many statuses moved something."""

    ids: dict[RowKey, int]
    statuses: int = 0


@dataclass(slots=True)
class Accepted:
    """What became of a delivery: new messages, statuses that moved something, items that could not be understood."""

    messages: int = 0
    statuses: int = 0
    rejected: int = 0


@dataclass(slots=True)
class Delivery:
    """What of a webhook is to be written, each with the bot it is for; slugs: of the rows' bots, by id.

    bot: the slug of the bot whose URL it came to.
    """

    bot: str = ""
    rows: list[NewInbound] = field(default_factory=list)
    changes: list[tuple[ActiveBot, AddressChanged]] = field(default_factory=list)
    statuses: list[tuple[ActiveBot, StatusEvent]] = field(default_factory=list)
    slugs: dict[int, str] = field(default_factory=dict)
    rejected: int = 0


# A row, its bot's slug, and its id where it is new.
Named = tuple[NewInbound, str, int | None]


def note(deliveries: Sequence[Delivery], stored: Sequence[Stored]) -> None:
    """Count and log deliveries that were stored together; asks no database."""
    named = [
        (row, delivery.slugs[row.bot_id], id)
        for delivery, one in zip(deliveries, stored, strict=True)
        for row, id in _with_ids(delivery, one)
    ]
    _count(named)
    log_events(logger, _events(named))
    if logger.isEnabledFor(logging.DEBUG):
        for delivery, one in zip(deliveries, stored, strict=True):
            told = {"new_messages": len(one.ids), "statuses": one.statuses, "rejected": delivery.rejected}
            logger.debug("webhook_stored", extra={"bot": delivery.bot, **told})


def _with_ids(delivery: Delivery, stored: Stored) -> Iterator[tuple[NewInbound, int | None]]:
    left = dict(stored.ids)  # the same message twice in one delivery is stored once
    for row in delivery.rows:
        yield row, left.pop((row.bot_id, row.external_id), None)


def _count(named: Sequence[Named]) -> None:
    """Count the items: which were stored, which were there already."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for row, slug, id in named:
        if id is None:
            counted["messages_redelivered", slug, ""] += 1
        elif row.state == QUARANTINED:
            counted["messages_quarantined", slug, ""] += 1
        else:
            counted["messages_received", slug, row.kind] += 1
    for (name, slug, kind), amount in counted.items():
        count(name, amount, bot=slug, **({"kind": kind} if kind else {}))


def _events(named: Sequence[Named]) -> Iterator[Event]:
    """Begin each message's story in the log, without the provider's id of it: WhatsApp's holds the number."""
    chat_hash = chat_hasher()
    for row, slug, id in named:
        if row.state != PENDING:
            continue
        facts: dict[str, Any] = {"kind": row.kind, "bot": slug}
        if id is not None:
            facts["message_id"] = id
        if row.request_id:
            facts["request_id"] = row.request_id
        facts["chat"] = chat_hash(slug, row.address)
        yield Event("message_redelivered", facts) if id is None else Event("message_received", facts)

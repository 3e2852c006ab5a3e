"""Store what a webhook delivered: the way from a parsed body to committed rows."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from bot.channels.base import AddressChanged, Event, InboundEvent, RejectedItem, StatusEvent
from bot.directory import ActiveBot, bot_for_account
from bot.erased import was_erased, was_given_up
from bot.errors import ErrorCode
from bot.log_ids import chat_hash
from bot.managers import NewInbound, RowKey
from bot.metrics import count
from bot.metrics.received import count_received
from bot.models import InboundMessage, OutboundMessage
from bot.moves import follow
from bot.pipeline.turn import VISITOR
from bot.reconnect import on_a_live_connection
from bot.recovery import resolve
from config.logs import current_request_id

logger = logging.getLogger(__name__)

# The ids of new rows.
Stored = dict[RowKey, int]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a delivery: new messages, statuses that moved something, items that could not be understood."""

    messages: int = 0
    statuses: int = 0
    rejected: int = 0


@dataclass(slots=True)
class _Delivered:
    """What of a delivery is to be written, and the slugs of its rows' bots by id."""

    rows: list[NewInbound] = field(default_factory=list)
    changes: list[AddressChanged] = field(default_factory=list)
    statuses: list[StatusEvent] = field(default_factory=list)
    slugs: dict[int, str] = field(default_factory=dict)


def accept(bot: ActiveBot, events: Sequence[Event], body: bytes = b"", *, visitor: int | None = None) -> Accepted:
    """Store every event of one genuine delivery; when this returns, it is committed.

    Redelivered messages are recognised by their external id and change nothing. A body is given where items of it may
    have no id of their own: its hash then stands in, so that a redelivered quarantined item is recognised as well.
    visitor: the id of the member of staff who has written the messages in somebody's name, in the simulator.

    Raises:
        django.db.Error: nothing of the delivery was stored; the provider should deliver it again.
    """
    found = _Delivered(slugs={bot.id: bot.slug})
    now = timezone.now()
    # Once: thousands of bad items in a body of megabytes would be seconds of hashing it again and again.
    delivery = hashlib.sha256(body).hexdigest()
    for position, event in enumerate(events):
        match event:
            case InboundEvent():
                target = _target(bot, event.account_id)
                if target and not _is_too_late(target, event):
                    found.slugs[target.id] = target.slug
                    found.rows.append(_inbound_row(target, event, now, visitor))
            case AddressChanged():
                found.changes.append(event)
            case StatusEvent():
                found.statuses.append(event)
            case RejectedItem():
                found.rows.append(_rejected_row(bot, event, now, f"{delivery}:{position}"))
    new, moved = on_a_live_connection(_write, bot, found, now)
    count_received(found.rows, new, found.slugs)
    rejected = sum(isinstance(event, RejectedItem) for event in events)
    _log_messages(found, new)
    return Accepted(messages=len(new), statuses=moved, rejected=rejected)


def _log_messages(found: _Delivered, stored: Stored) -> None:
    """Begin each message's story in the log. (Not with the provider's id of it: WhatsApp's holds the number.)"""
    new = dict(stored)
    for row in found.rows:
        if row.state != InboundMessage.State.PENDING:
            continue
        slug = found.slugs[row.bot_id]
        ids = {"kind": row.kind, "bot": slug, "chat": chat_hash(slug, row.address)}
        message_id = new.pop((row.bot_id, row.external_id), None)
        if message_id is None:
            logger.info("message_redelivered", extra=ids)
        else:
            logger.info("message_received", extra={"message_id": message_id, **ids})


def _write(bot: ActiveBot, found: _Delivered, now: datetime) -> tuple[Stored, int]:
    if not found.statuses and not found.changes:
        return InboundMessage.objects.all().store(found.rows), 0
    with transaction.atomic():
        new = InboundMessage.objects.all().store(found.rows)
        # Before the statuses: leases are locked before anything of their chats.
        for change in found.changes:
            target = _target(bot, change.account_id)
            if target:
                follow(target, change, now)
        return new, sum(_apply(bot, status) for status in found.statuses)


def _apply(bot: ActiveBot, status: StatusEvent) -> bool:
    target = _target(bot, status.account_id)
    if target is None:
        return False
    change = OutboundMessage.objects.all().apply_status(
        [target.id],
        status.status,
        outbound_id=status.outbound_id,
        external_id=status.external_id,
        error_code=status.error_code,
    )
    if change:
        _log_status(target, status, change.turn_key)
    if change and change.resolved:
        logger.info("uncertain_resolved", extra={"bot": target.slug, "turn_id": change.turn_key})
        resolve(change.turn_key)
    if change and (change.resolved or status.status != OutboundMessage.Status.SENT):  # "sent" was counted by the worker
        transaction.on_commit(partial(count, "deliveries", status=status.status))
    return change is not None


def _log_status(bot: ActiveBot, status: StatusEvent, turn_key: int) -> None:
    # There are three for each reply, and the outbox has them with their times.
    level = logging.WARNING if status.status == OutboundMessage.Status.FAILED else logging.DEBUG
    ids = {"bot": bot.slug, "turn_id": turn_key, "status": status.status}
    logger.log(level, "delivery_status", extra={**ids, **({"error_code": code} if (code := status.error_code) else {})})


def _is_too_late(bot: ActiveBot, event: InboundEvent) -> bool:
    channel = bot.channel.slug
    named = [address for address in (event.address, event.other_address) if address]
    erased = any(was_erased(channel, address, event.sent_at) for address in named)
    if erased:
        logger.info("message_of_erased", extra={"bot": bot.slug, "kind": event.kind})
    elif any(was_given_up(channel, address, event.sent_at) for address in named):
        # Whoever has the address now has not written it, and must not be answered for it.
        logger.info("message_of_former_holder", extra={"bot": bot.slug, "kind": event.kind})
        return True
    return erased


def _target(bot: ActiveBot, account_id: str) -> ActiveBot | None:
    target = bot_for_account(bot, account_id)
    if target is None:
        logger.warning("event_for_unknown_account", extra={"bot": bot.slug, "account_ends_with": account_id[-4:]})
    return target


def _inbound_row(bot: ActiveBot, event: InboundEvent, now: datetime, visitor: int | None) -> NewInbound:
    payload = {
        VISITOR: visitor,
        "text": event.text,
        "other_address": event.other_address,
        "profile_name": event.profile_name,
    }
    return NewInbound(
        bot_id=bot.id,
        external_id=event.external_id,
        address=event.address,
        kind=event.kind,
        payload={key: value for key, value in payload.items() if value},
        sent_at=event.sent_at,
        received_at=now,
        available_at=now + timedelta(seconds=bot.burst_wait_seconds),
        request_id=current_request_id(),
    )


def _rejected_row(bot: ActiveBot, item: RejectedItem, now: datetime, place: str) -> NewInbound:
    logger.warning("item_quarantined", extra={"bot": bot.slug, "reason": item.reason})
    # An id of its own keeps a malformed copy of a message from standing in the way of the good one.
    name = f"{item.external_id}:{place}".encode(errors="replace")
    return NewInbound(
        bot_id=bot.id,
        external_id=f"rejected-{hashlib.sha256(name).hexdigest()[:32]}",
        address="",
        kind="rejected",
        payload={"reason": item.reason},
        state=InboundMessage.State.QUARANTINED,
        error_code=ErrorCode.INVALID_INPUT,
        received_at=now,
        available_at=now,
        request_id=current_request_id(),
    )

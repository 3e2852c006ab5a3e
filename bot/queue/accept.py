"""Store what webhooks delivered: the way from parsed bodies to committed rows."""

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from bot.channels.events import AddressChanged, Event, InboundEvent, RejectedItem, ReportedError, StatusEvent
from bot.errors import ErrorCode
from bot.models import VISITOR, InboundMessage, NewInbound, OutboundMessage, RowKey, StatusUpdate
from bot.monitoring.metrics import count
from bot.queue.address_changes import follow
from bot.queue.pausing import pause
from bot.queue.received import Accepted, Delivery, Stored, note
from bot.queue.recovery import resolve
from bot.queue.snapshot import ActiveBot, Directory, current
from config.db.reconnect import retry_on_stale_connection
from config.logs.lines import current_request_id
from users.models.tombstones import was_erased, was_given_up

logger = logging.getLogger(__name__)


def accept(bot: ActiveBot, events: Sequence[Event], body: bytes = b"", *, visitor: int | None = None) -> Accepted:
    """Store every event of one genuine delivery; when this returns, it is committed.

    Redelivered messages are recognised by their external id and change nothing. visitor: see prepare().

    Raises:
        django.db.Error: nothing of the delivery was stored; the provider should deliver it again.
    """
    (accepted,) = take([prepare(current(), bot, events, body, visitor=visitor)])
    return accepted


def prepare(
    directory: Directory,
    bot: ActiveBot,
    events: Sequence[Event],
    body: bytes = b"",
    *,
    now: datetime | None = None,
    visitor: int | None = None,
) -> Delivery:
    """Return what is to be written of one genuine delivery, without asking the database.

    A body is given where items of it may have no id of their own: its hash then stands in, so that a redelivered
    quarantined item is recognised as well. now: when it came. visitor: the id of the member of staff who has written
    the messages in somebody's name, in the simulator.
    """
    delivery = Delivery(bot.slug)
    now = now or timezone.now()
    body_hash = ""
    for position, event in enumerate(events):
        if isinstance(event, RejectedItem):
            # Once: thousands of bad items in a body of megabytes would be seconds of hashing it again and again.
            body_hash = body_hash or hashlib.sha256(body).hexdigest()
            delivery.slugs[bot.id] = bot.slug
            delivery.rows.append(_rejected_row(bot, event, now, f"{body_hash}:{position}"))
            delivery.rejected += 1
            continue
        target = _target(directory, bot, event.account_id)
        if target is None:
            continue
        if isinstance(event, InboundEvent):
            if not _is_too_late(directory, target, event):
                delivery.slugs[target.id] = target.slug
                delivery.rows.append(_inbound_row(target, event, now, visitor))
        elif isinstance(event, StatusEvent):
            delivery.statuses.append((target, event))
        elif isinstance(event, AddressChanged):
            delivery.changes.append((target, event))
        else:
            _note_reported(target, event)
    return delivery


def store(deliveries: Sequence[Delivery]) -> list[Stored]:
    """Write deliveries in one transaction, in their order; when this returns, it is committed.

    Raises:
        django.db.Error: nothing of any of them was stored.
    """
    new, moved = retry_on_stale_connection(_write, deliveries)
    if len(deliveries) == 1:
        return [Stored(new, sum(moved[0]))]
    # Of two copies of a message that are stored together one is new: the first.
    return [
        Stored({key: new.pop(key) for row in delivery.rows if (key := (row.bot_id, row.external_id)) in new}, sum(told))
        for delivery, told in zip(deliveries, moved, strict=True)
    ]


def take(deliveries: Sequence[Delivery]) -> list[Accepted]:
    """Write deliveries as store() does, and count and log what became of them."""
    stored = store(deliveries)
    note(deliveries, stored)
    return [
        Accepted(messages=len(one.ids), statuses=one.statuses, rejected=delivery.rejected)
        for delivery, one in zip(deliveries, stored, strict=True)
    ]


def _write(deliveries: Sequence[Delivery]) -> tuple[dict[RowKey, int], list[list[bool]]]:
    rows = [row for delivery in deliveries for row in delivery.rows]
    if not any(delivery.statuses or delivery.changes for delivery in deliveries):
        return InboundMessage.objects.store(rows), [[] for _ in deliveries]
    with transaction.atomic():
        new = InboundMessage.objects.store(rows)
        # Lock order: leases before anything of their chats, so changes before statuses.
        for delivery in deliveries:
            for target, change in delivery.changes:
                follow(target, change, timezone.now())
        moved = iter(_apply([status for delivery in deliveries for status in delivery.statuses]))
    return new, [[next(moved) for _ in delivery.statuses] for delivery in deliveries]


def _apply(told: Sequence[tuple[ActiveBot, StatusEvent]]) -> list[bool]:
    """Move messages to what the provider says became of them; return which of the statuses moved one."""
    updates = [
        StatusUpdate(bot.id, status.status, status.outbound_id, status.external_id, status.error_code)
        for bot, status in told
    ]
    changes = OutboundMessage.objects.apply_statuses(updates)
    for (bot, status), change in zip(told, changes, strict=True):
        if change is None:
            continue
        _log_status(bot, status, change.turn_key)
        if status.status == OutboundMessage.Status.FAILED and bot.channel.is_of_account(status.error_code):
            # (Lock order: nobody waits for a bot's row while they hold messages.)
            code = f"{ErrorCode.CHANNEL_ERROR}:{status.error_code}"
            transaction.on_commit(partial(pause, bot, code, of_account=True))
        if change.resolved:
            logger.info("uncertain_resolved", extra={"bot": bot.slug, "turn_id": change.turn_key})
            resolve(change.turn_key)
        if change.resolved or status.status != OutboundMessage.Status.SENT:  # "sent" was counted by the worker
            transaction.on_commit(partial(count, "deliveries", status=status.status))
    return [change is not None for change in changes]


def _log_status(bot: ActiveBot, status: StatusEvent, turn_key: int) -> None:
    # There are three for each reply, and the outbox has them with their times.
    level = logging.WARNING if status.status == OutboundMessage.Status.FAILED else logging.DEBUG
    if not logger.isEnabledFor(level):
        return
    ids = {"bot": bot.slug, "turn_id": turn_key, "status": status.status}
    logger.log(level, "delivery_status", extra={**ids, **({"error_code": code} if (code := status.error_code) else {})})


def _note_reported(bot: ActiveBot, error: ReportedError) -> None:
    """Log and count an error of the provider's own; its text is not read."""
    logger.warning("provider_error_reported", extra={"bot": bot.slug, "error_code": error.code})
    count("provider_errors", bot=bot.slug)


def _is_too_late(directory: Directory, bot: ActiveBot, event: InboundEvent) -> bool:
    buried, channel = directory.tombstones, bot.channel.slug
    if not buried:
        return False
    named = [address for address in (event.address, event.other_address) if address]
    if any(was_erased(buried, channel, address, event.sent_at) for address in named):
        logger.info("message_of_erased", extra={"bot": bot.slug, "kind": event.kind})
        return True
    if any(was_given_up(buried, channel, address, event.sent_at) for address in named):
        # Whoever has the address now has not written it, and must not be answered for it.
        logger.info("message_of_former_holder", extra={"bot": bot.slug, "kind": event.kind})
        return True
    return False


def _target(directory: Directory, bot: ActiveBot, account_id: str) -> ActiveBot | None:
    target = directory.bot_for_account(bot, account_id)
    if target is None:
        logger.warning("event_for_unknown_account", extra={"bot": bot.slug, "account_ends_with": account_id[-4:]})
    return target


def _inbound_row(bot: ActiveBot, event: InboundEvent, now: datetime, visitor: int | None) -> NewInbound:
    payload: dict[str, Any] = {"text": event.text} if event.text else {}
    if event.other_address:
        payload["other_address"] = event.other_address
    if event.profile_name:
        payload["profile_name"] = event.profile_name
    if event.note:
        payload["note"] = event.note
    if event.quotes:
        payload["quotes"] = event.quotes
    if visitor:
        payload[VISITOR] = visitor
    available_at = now + timedelta(seconds=bot.burst_wait_seconds) if bot.burst_wait_seconds else now
    # (By position, as there is one for each message: names would take twice as long.)
    named = bot.id, event.external_id, event.address, event.kind
    return NewInbound(*named, now, available_at, payload, sent_at=event.sent_at, request_id=current_request_id())


def _rejected_row(bot: ActiveBot, item: RejectedItem, now: datetime, place: str) -> NewInbound:
    logger.warning("item_quarantined", extra={"bot": bot.slug, "reason": item.reason})
    # An id of its own keeps a malformed copy of a message from standing in the way of the good one.
    name = f"{item.external_id}:{place}".encode(errors="replace")
    return NewInbound(
        bot_id=bot.id,
        external_id=f"rejected-{hashlib.sha256(name).hexdigest()[:32]}",
        address="",
        kind=InboundMessage.Origin.REJECTED,
        origin=InboundMessage.Origin.REJECTED,
        payload={"reason": item.reason},
        state=InboundMessage.State.QUARANTINED,
        error_code=ErrorCode.INVALID_INPUT,
        received_at=now,
        available_at=now,
        request_id=current_request_id(),
    )

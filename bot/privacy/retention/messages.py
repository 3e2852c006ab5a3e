"""Retention of messages: conversations, inbox, outbox and access requests."""

import time
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from bot.models import AccessRequest, InboundMessage, Lease, ModelChoice, OutboundMessage
from bot.privacy.erasure import farewell
from bot.privacy.retention.entry import Counts, Entry, Period, Step, days, deletes
from bot.privacy.retention.periods import ACCESS_REQUEST_DAYS, FAREWELL_DAYS, MESSAGE_ROW_DAYS, OUTBOUND_TEXT_DAYS
from config.db.batches import FIRST_SIZE, Progress, next_size
from conversations.models import Conversation, Message
from conversations.retention import cleanup_expired_conversations

EXPORTED_AND_ERASED = "exported and erased"


def forget_conversations(period: timedelta, dry_run: bool, progress: Progress | None) -> Counts:
    """Delete expired conversations with their messages. Each has an expiry, set with its last message."""
    cleaned = cleanup_expired_conversations(dry_run=dry_run, progress=progress)
    return {"conversations": cleaned.conversations, "conversation_messages": cleaned.messages}


def answered(cutoff: datetime) -> "QuerySet[Any]":
    """Return the messages received before a moment that are not pending."""
    return InboundMessage.objects.filter(received_at__lt=cutoff).exclude(state=InboundMessage.State.PENDING)


def idle_leases(cutoff: datetime) -> "QuerySet[Any]":
    """Return the leases that expired before a moment, without pending messages in their chats: a fence only grows."""
    chat = InboundMessage.objects.filter(bot=OuterRef("bot"), address=OuterRef("address"), state="pending")
    return Lease.objects.filter(~Exists(chat), expires_at__lt=cutoff)


def empty_texts(period: timedelta, dry_run: bool, progress: Progress | None) -> Counts:
    """Empty the texts of replies that only await a delivery status."""
    settled = OutboundMessage.objects.exclude(status__in=OutboundMessage.UNSETTLED)
    texts = settled.filter(created_at__lt=timezone.now() - period).exclude(text="").order_by("pk")
    if dry_run:
        return {"outbound_texts": texts.count()}
    total = texts.count() if progress else None
    size, emptied, last = FIRST_SIZE, 0, 0
    while True:
        started = time.monotonic()
        # Continue after the last batch, or emptied rows would be scanned again each time.
        if not (keys := list(texts.filter(pk__gt=last).values_list("pk", flat=True)[:size])):
            return {"outbound_texts": emptied}
        # With the same condition, because staff may just have sent one again.
        emptied += texts.filter(pk__in=keys).order_by().update(text="")
        last, size = keys[-1], next_size(size, time.monotonic() - started)
        if progress:
            progress(emptied, total)


def drop_farewells(period: timedelta, dry_run: bool, progress: Progress | None) -> Counts:
    """Delete farewells that could not be sent, with all their rows."""
    unsaid = farewell.unsent_since(timezone.now() - period).order_by("pk").values_list("pk", flat=True)
    if dry_run:
        return {"farewells": sum(rows.count() for rows in farewell.rows_of(list(unsaid)))}
    dropped = 0
    while ids := list(unsaid[:FIRST_SIZE]):
        with transaction.atomic():
            dropped += sum(rows.delete()[0] for rows in farewell.rows_of(ids))
    return {"farewells": dropped}


MESSAGES = (
    Entry(
        model=Conversation,
        holds="That a person and a bot have a conversation, and when it ends.",
        why="What belongs together, so that the model is shown it.",
        steps=(
            Step(
                takes="the conversation with its messages",
                period=Period(setting="CONVERSATION_TTL_DAYS"),
                since="the last message",
                run=forget_conversations,
                name="conversations",
            ),
        ),
        personal=("user",),
        other=("bot",),
        rights=EXPORTED_AND_ERASED,
    ),
    Entry(
        model=Message,
        holds="What a person wrote and was answered, as the model is shown it.",
        why="Without it every message would be the first.",
        stays="with its conversation, which `/reset` empties at once",
        personal=("content", "author"),
        other=("role",),
        rights=EXPORTED_AND_ERASED,
    ),
    Entry(
        model=InboundMessage,
        holds="A message as it was received, from whom, and what became of it. Content only until it is answered.",
        why="Nothing is lost and nothing answered twice: it is the queue, and what recognises redeliveries. "
        "The content of a dead letter is there for staff to replay.",
        steps=(
            deletes(
                "inbound",
                days(MESSAGE_ROW_DAYS),
                "it was received, dead letters and what could not be read included",
                answered,
            ),
            Step(
                takes="the farewell to who erased themselves, where it cannot be sent",
                period=days(FAREWELL_DAYS),
                since="they confirmed it",
                run=drop_farewells,
                name="farewells",
            ),
        ),
        stays="one that waits for an answer (of a paused bot, for example) stays until it has one",
        personal=("external_id", "address", "payload"),
        other=("kind", "origin", "state", "error_code", "request_id", "steps"),
        rights=EXPORTED_AND_ERASED,
    ),
    Entry(
        model=OutboundMessage,
        holds="A part of a reply: to whom, its text until it is delivered, and what became of it.",
        why="After a crash the stored text goes out; receipts find it. Staff see what could not be sent.",
        steps=(
            Step(
                takes="a text without a receipt of its delivery",
                period=days(OUTBOUND_TEXT_DAYS),
                since="it was written",
                run=empty_texts,
                name="outbound_texts",
            ),
            deletes(
                "outbound",
                days(MESSAGE_ROW_DAYS),
                "it was written",
                lambda cutoff: OutboundMessage.objects.filter(created_at__lt=cutoff),
            ),
        ),
        personal=("address", "text", "filename", "external_id"),
        other=("status", "error_code", "doubt"),
        rights=EXPORTED_AND_ERASED,
    ),
    Entry(
        model=Lease,
        holds="Which worker is at work on a person's chat, or was last.",
        why="One turn at a time in each chat.",
        steps=(deletes("leases", days(MESSAGE_ROW_DAYS), "its last use", idle_leases),),
        personal=("address",),
        other=("worker",),
        rights=EXPORTED_AND_ERASED,
    ),
    Entry(
        model=AccessRequest,
        holds="Who wrote without being whitelisted: address, profile name, how often and when; no text.",
        why="For staff to let them in, and to tell them no more than once a day.",
        steps=(
            deletes(
                "access_requests",
                days(ACCESS_REQUEST_DAYS),
                "their last message",
                lambda cutoff: AccessRequest.objects.filter(last_seen_at__lt=cutoff),
            ),
        ),
        personal=("address", "profile_name"),
        rights=EXPORTED_AND_ERASED,
    ),
    Entry(
        model=ModelChoice,
        holds="Which model a person has chosen with a bot.",
        why="So that it answers them.",
        stays="until the person chooses the bot's own again, or the person or the bot is deleted",
        personal=("user",),
        other=("model",),
        rights=EXPORTED_AND_ERASED,
    ),
)

"""Trace of one message, step by step, from stored rows, without its text and its person's number."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from bot.history.waiting import waiting_for
from bot.models import Bot, InboundMessage, OutboundMessage
from usage.models import UsageRecord

State = InboundMessage.State
Status = OutboundMessage.Status

# Numbers as the admin's pages show them, up to the largest primary key.
NUMBER = re.compile(r"#?[0-9]{1,18}", re.ASCII)
REQUEST_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# A worker that lost its lease may record its call after the turn has ended.
LATEST_CALL = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Step:
    """An event of a message: when, what, and facts about it."""

    at: datetime
    what: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """One message and its turn: `steps` in order of time; `now` is its present state."""

    message: InboundMessage
    turn_key: int | None
    steps: list[Step]
    now: str


def find(external_id: str, bot: str = "") -> list[InboundMessage]:
    """Return the messages with this provider's id, or with a reply that has it; of one bot, if named."""
    # By bot, like the indexes.
    bots = list((Bot.objects.filter(slug=bot) if bot else Bot.objects.all()).values_list("pk", flat=True))
    replies = OutboundMessage.objects.filter(bot__in=bots, external_id=external_id)
    # A turn's key is the id of its first message.
    turns = list(replies.values_list("turn_key", flat=True))
    named = Q(bot__in=bots, external_id=external_id) | Q(pk__in=turns)
    return list(InboundMessage.objects.select_related("bot").filter(named).order_by("pk"))


def find_by_number(text: str, bot: str = "") -> list[tuple[str, InboundMessage]]:
    """Return the messages that a number of the admin's pages may mean, each with its meaning; of one bot, if named.

    It may be the id of a message, of a turn (its first message's), of a part of a reply, or of an HTTP request.
    """
    bots = list((Bot.objects.filter(slug=bot) if bot else Bot.objects.all()).values_list("pk", flat=True))
    messages = InboundMessage.objects.select_related("bot").filter(bot__in=bots).order_by("pk")
    if REQUEST_ID.fullmatch(text):
        return [("the id of a request", message) for message in messages.filter(request_id=text.replace("-", ""))]
    if not NUMBER.fullmatch(text):
        return []
    number = int(text.lstrip("#"))
    found: list[tuple[str, InboundMessage]] = []
    for message in messages.filter(pk=number):
        found.append(("the number of a message", message))
        # By its chat, like the index.
        turn = messages.filter(bot=message.bot_id, address=message.address, turn_key=number).exclude(pk=number)
        found += [("the number of a turn", other) for other in turn]
    parts = OutboundMessage.objects.filter(bot__in=bots, pk=number).values_list("turn_key", flat=True)
    return found + [("the number of a part of a reply", message) for message in messages.filter(pk__in=list(parts))]


def trace(message: InboundMessage) -> Trace:
    """Return the trace of a message and its turn."""
    key = message.turn_key
    parts = list(OutboundMessage.objects.filter(turn_key=key).order_by("part")) if key is not None else []
    calls = list(_calls(message))
    steps = [*_receipt(message), *_work(message, parts, calls), *calls]
    steps += [step for part in parts for step in _sending(part)]
    if message.finished_at:
        steps.append(Step(message.finished_at, "ended", _facts(state=message.state, error_code=message.error_code)))
    return Trace(message, key, sorted(steps, key=lambda step: step.at), _standing(message))


def _receipt(message: InboundMessage) -> Iterator[Step]:
    if message.sent_at:
        yield Step(message.sent_at, "written by the person")
    yield Step(message.received_at, "received", _facts(kind=message.kind, request_id=message.request_id))


def _work(message: InboundMessage, parts: list[OutboundMessage], calls: list[Step]) -> Iterator[Step]:
    if message.begun_at:
        yield Step(message.begun_at, "begun", {"attempt": message.attempts})
    first = message if message.pk == message.turn_key else None
    if message.turn_key is not None and first is None:
        first = InboundMessage.objects.filter(pk=message.turn_key).first()
    if first is None or not first.steps:
        return
    # The stages belong to the attempt that stored the reply; a later one only sent it.
    *stages, (_, stored_ms) = first.steps
    stored_at = parts[0].created_at if parts else None
    if stored_at is None:
        return
    # Milliseconds are whole: what took none must not seem to have ended before the attempt began, or after its calls
    # were recorded, which is when the reply is stored.
    earliest = message.begun_at if message.begun_at and message.begun_at <= stored_at else message.received_at
    latest = min((call.at for call in calls if earliest <= call.at <= stored_at), default=stored_at)
    before = 0
    for stage, ended_ms in stages:
        ended_at = min(max(stored_at - timedelta(milliseconds=stored_ms - ended_ms), earliest), latest)
        yield Step(ended_at, stage, {"ms": ended_ms - before})
        before = ended_ms
    yield Step(stored_at, "reply stored", {"parts": len(parts)})


def _calls(message: InboundMessage) -> Iterator[Step]:
    """Yield the billed calls of the turn, at the time they were recorded."""
    until = (message.finished_at or timezone.now()) + LATEST_CALL
    records = UsageRecord.objects.filter(turn_key=message.turn_key or message.pk)
    # By time, because there is no index on turns.
    for record in records.filter(created_at__range=(message.received_at, until)).order_by("pk"):
        yield Step(
            record.created_at,
            "completion recorded",
            {
                "model": record.model_answered or record.model,
                "input_tokens": record.input_tokens,
                "output_tokens": record.output_tokens,
                "cost_micros": "unknown" if record.cost_micros is None else record.cost_micros,
            },
        )


def _sending(part: OutboundMessage) -> Iterator[Step]:
    facts = {"part": part.part, **_facts(filename=part.filename)}
    if part.sending_at:
        yield Step(part.sending_at, Status.SENDING, {**facts, "attempt": part.attempts})
    reached: dict[str, datetime | None] = {
        Status.SENT: part.sent_at,
        Status.DELIVERED: part.delivered_at,
        Status.READ: part.read_at,
    }
    for status, at in reached.items():
        if at:
            yield Step(at, status, facts)
    if not reached.get(part.status) and part.status != Status.SENDING:
        yield Step(part.updated_at, part.status, {**facts, **_facts(error_code=part.code)})


def _standing(message: InboundMessage) -> str:
    match message.state:
        case State.DONE:
            return f"done, with {message.error_code}" if message.error_code else "done"
        case State.DEAD:
            return f"a dead letter ({message.error_code}): manage.py replay {message.pk}"
        case State.QUARANTINED:
            return f"quarantined: {message.payload.get('reason', '')}"
    return _waiting_for(message)


def _waiting_for(message: InboundMessage) -> str:
    waits = waiting_for(message)
    if waits.paused:
        return f"waiting: the bot is paused ({message.bot.pause_reason})"
    if waits.worker:
        return f"a worker has its chat ({waits.worker})"
    seconds = round((waits.until - timezone.now()).total_seconds()) if waits.until else 0
    return f"waiting; to be begun in {seconds} s" if seconds > 0 else "waiting for a worker"


def _facts(**facts: Any) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value not in ("", None)}

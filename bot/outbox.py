"""The outbox: store replies before they are sent, and record what became of each send. Every write is fenced.

The functions take many items and do them in one transaction; an item whose lease is no longer held gets LeaseLost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bot.channels.text import split
from bot.claims import free_at
from bot.managers import SendRecord
from bot.models import InboundMessage, Lease, OutboundMessage
from bot.pipeline.budget import settle_budgets
from bot.pipeline.turn import LeaseLost, ModelCall, OutboundPart, Turn
from config.rows import insert_rows
from conversations.many import remember_many
from usage.models import UsageRecord
from usage.prices import price_completion

Status = OutboundMessage.Status


class Outcome(Enum):
    """What a settlement does with its turn: go on, end it, leave it for later, or give it up."""

    GO_ON = "go on"
    DONE = "done"
    RETRY = "retry"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is known after a step of sending: the status of one part (if any), and what happens to the turn."""

    turn: Turn
    outcome: Outcome
    part_id: int | None = None
    status: str = ""
    external_id: str = ""
    error_code: str = ""
    retry_in: timedelta | None = None


def store_replies(worker: str, turns: Sequence[Turn]) -> list[list[OutboundPart] | Exception]:
    """Store what the turns' stages produced: usage and its cost, the remembered conversation, the reply in parts.

    What a provider was paid for is recorded even when the lease is lost. Storing the same turn again (the commit's
    answer was lost with the connection) returns what is stored.
    """
    with transaction.atomic():
        held = Lease.objects.all().lock_held([turn.lease for turn in turns], worker)
        stored = _stored_parts([turn.key for turn in turns])
        fresh = [turn for turn in turns if turn.key not in stored]
        records = [[_usage_record(turn, call) for call in turn.calls if turn.key not in stored] for turn in turns]
        UsageRecord.objects.record_many([record for of_turn in records for record in of_turn])
        kept = [turn for turn in fresh if turn.lease.id in held]
        parts = insert_rows(
            OutboundMessage,
            [row for turn in kept for row in _parts(turn)],
            returning=("turn_key", "part", "id", "status", "text"),
        )
        InboundMessage.objects.all().assign_turns(
            [(message.id, turn.key) for turn in kept for message in turn.messages]
        )
        remember_many([((turn.user.pk, turn.bot.slug), turn.remember) for turn in kept if turn.user and turn.remember])
        # Last, because every worker writes to everybody's row of the day and waits for whoever has it.
        settle_budgets(zip(turns, records, strict=True))
    for turn_key, number, id, status, text in sorted(parts):
        stored.setdefault(turn_key, []).append(OutboundPart(id, number, status, text))
    return [stored.get(turn.key, []) if turn.lease.id in held else LeaseLost() for turn in turns]


def begin_sending(worker: str, items: Sequence[tuple[Turn, OutboundPart]]) -> list[bool | Exception]:
    """Commit that the parts are about to be sent; False for one that must not be (a status has overtaken it)."""
    with transaction.atomic():
        held = Lease.objects.all().lock_held([turn.lease for turn, _ in items], worker)
        ids = [part.id for turn, part in items if turn.lease.id in held]
        queued = set(
            OutboundMessage.objects.select_for_update()
            .filter(id__in=ids, status=Status.QUEUED)
            .order_by("id")
            .values_list("id", flat=True)
        )
        OutboundMessage.objects.all().begin_sending(queued)
    return [part.id in queued if turn.lease.id in held else LeaseLost() for turn, part in items]


def settle(worker: str, items: Sequence[Settlement]) -> list[bool | Exception]:
    """Record what became of sends and turns, and release the leases of turns that ended or wait."""
    with transaction.atomic():
        held = Lease.objects.all().lock_held([item.turn.lease for item in items], worker)
        mine = [item for item in items if item.turn.lease.id in held]
        _settle_parts(mine)
        _settle_done([item for item in mine if item.outcome is Outcome.DONE])
        for item in mine:
            if item.outcome is Outcome.DEAD:
                _bury(item)
            if item.outcome in (Outcome.RETRY, Outcome.DEAD):
                Lease.objects.all().release([item.turn.lease.id], free_at(item.retry_in))
    return [item.turn.lease.id in held or LeaseLost() for item in items]


def _stored_parts(keys: list[int]) -> dict[int, list[OutboundPart]]:
    stored: dict[int, list[OutboundPart]] = {}
    rows = OutboundMessage.objects.filter(turn_key__in=keys).order_by("turn_key", "part")
    for row in rows.values_list("turn_key", "id", "part", "status", "text"):
        stored.setdefault(row[0], []).append(OutboundPart(*row[1:]))
    return stored


def _usage_record(turn: Turn, call: ModelCall) -> dict[str, Any]:
    completion = call.completion
    priced = price_completion(
        provider=settings.LLM_PROVIDER,
        base_url=settings.OPENAI_BASE_URL,
        model=call.model,
        model_answered=completion.model,
        input_tokens=completion.input_tokens,
        cached_input_tokens=completion.cached_input_tokens,
        output_tokens=completion.output_tokens,
        on=timezone.localdate(),
    )
    return {
        "user_id": turn.user.pk if turn.user else None,
        "bot": turn.bot.slug,
        "model": call.model,
        "model_answered": completion.model,
        "input_tokens": completion.input_tokens,
        "cached_input_tokens": completion.cached_input_tokens,
        "output_tokens": completion.output_tokens,
        "cost_micros": priced.cost_micros,
        "price": priced.snapshot,
        "turn_key": turn.key,
    }


def _parts(turn: Turn) -> list[dict[str, Any]]:
    texts = split(turn.reply or "", turn.bot.channel.max_text_length)
    return [
        {"bot_id": turn.bot.id, "address": turn.address, "turn_key": turn.key, "part": number, "text": text}
        for number, text in enumerate(texts, start=1)
    ]


def _settle_parts(items: list[Settlement]) -> None:
    with_part = [(item, item.part_id) for item in items if item.part_id is not None]
    OutboundMessage.objects.all().record(
        [
            SendRecord(part_id, item.status, item.external_id, item.error_code)
            for item, part_id in with_part
            if item.status != Status.QUEUED
        ]
    )
    for item, part_id in with_part:
        if item.status == Status.QUEUED:
            OutboundMessage.objects.all().requeue(part_id, item.error_code)


def _settle_done(items: list[Settlement]) -> None:
    by_code: dict[str, list[int]] = {}
    strangers: list[int] = []
    for item in items:
        ids = [message.id for message in item.turn.messages]
        if item.turn.forget_messages:
            strangers += ids
        else:
            by_code.setdefault(item.error_code or item.turn.error_code, []).extend(ids)
            if item.error_code:  # uncertain or expired: what is left of the reply stays unsent
                OutboundMessage.objects.all().abandon(item.turn.key, item.error_code)
    for code, ids in by_code.items():
        InboundMessage.objects.all().finish(ids, error_code=code)
    if strangers:
        InboundMessage.objects.filter(id__in=strangers).delete()
    Lease.objects.all().release([item.turn.lease.id for item in items], timezone.now())


def _bury(item: Settlement) -> None:
    InboundMessage.objects.all().bury([message.id for message in item.turn.messages], item.error_code)
    OutboundMessage.objects.all().abandon(item.turn.key, item.error_code)

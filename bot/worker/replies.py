"""Transactional outbox: store replies before they are sent, and commit each send before its request. Writes are fenced.

A reply and the beginning of its first send share one commit, if the send follows at once.

The functions handle a batch of items in one transaction; an item whose lease is no longer held gets LeaseLost.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from bot.channels.documents import reply_parts
from bot.errors import ErrorCode
from bot.models import AnsweredMessage, InboundMessage, Lease, LeaseLost, OutboundMessage, OutboundPart
from bot.pipeline.turn import Turn
from bot.worker.billing import record_calls, settle_budgets
from config.db.rows import insert_rows
from conversations.models import Conversation
from users.models import User

Status = OutboundMessage.Status


def store_replies(worker: str, turns: Sequence[Turn]) -> list[list[OutboundPart] | Exception]:
    """Store the turns' results: usage and its cost, the remembered conversation, the reply in parts.

    The first part is stored as being sent, if it may be sent at once. Usage is recorded even if the lease is lost,
    because the provider was paid. A retry after a lost commit answer returns what is stored.
    """
    try:
        return _store(worker, turns)
    except IntegrityError:
        # A person was deleted during the model call, which is billed all the same.
        if not _without_the_deleted(turns):
            raise
        return _store(worker, turns)


def _store(worker: str, turns: Sequence[Turn]) -> list[list[OutboundPart] | Exception]:
    with transaction.atomic():
        held = Lease.objects.lock_held([turn.lease for turn in turns], worker)
        costs = record_calls(turns)
        mine = [turn for turn in turns if turn.lease.id in held]
        rows = {turn.key: _parts(turn) for turn in mine}
        # At the moment that the parts carry as theirs, before the statements that write them.
        stored_ms = {turn.key: turn.elapsed_ms for turn in mine}
        ids = _insert([row for parts in rows.values() for row in parts])
        # A retry has stored parts already: the same ones, or the single apology.
        again = [key for key, parts in rows.items() if parts and (key, 1) not in ids]
        stored = OutboundMessage.objects.parts_of(again)
        kept = [turn for turn in mine if turn.key not in stored]
        InboundMessage.objects.assign_turns([one for turn in kept for one in _answered(turn, stored_ms[turn.key])])
        if given_up := [id for turn in kept if turn.result.given_up for id in turn.message_ids]:
            InboundMessage.objects.give_up(given_up, ErrorCode.INTERNAL_ERROR)
        Conversation.objects.remember_many(
            [
                ((turn.user.pk, turn.bot.slug), [replace(said, turn_key=turn.key) for said in turn.result.remember])
                for turn in kept
                if turn.user and turn.result.remember
            ]
        )
        # Lock order: the shared budget rows of the day last, as all workers contend for them.
        settle_budgets(costs)
    results = {turn.key: [_as_part(ids[turn.key, row["part"]], row) for row in rows[turn.key]] for turn in kept}
    for turn in mine:
        if turn.key in stored:
            # Nobody else can have begun a send that this turn stored under its still held lease.
            own = not turn.requested
            parts = stored[turn.key]
            results[turn.key] = [replace(part, begun=own and part.status == Status.SENDING) for part in parts]
    return [results[turn.key] if turn.lease.id in held else LeaseLost() for turn in turns]


def _insert(parts: list[dict[str, Any]]) -> dict[tuple[int, int], int]:
    """Insert parts that are not stored yet; return {(turn key, part number): id} of the new ones."""
    new = insert_rows(
        OutboundMessage, parts, on_conflict="(turn_key, part) DO NOTHING", returning=("turn_key", "part", "id")
    )
    return {(turn_key, number): id for turn_key, number, id in new}


def _as_part(id: int, row: dict[str, Any]) -> OutboundPart:
    status = row["status"]
    return OutboundPart(id, row["part"], status, row["text"], row["filename"], begun=status == Status.SENDING)


def begin_sending(worker: str, items: Sequence[tuple[Turn, OutboundPart]]) -> list[bool | Exception]:
    """Mark parts as being sent and commit; False for one that must not be sent, as a status has overtaken it.

    A part that is "sending" already was marked by this call before a retry, after a lost commit answer: nobody else
    can mark it under this lease, and the request goes out only after this returns.
    """
    with transaction.atomic():
        held = Lease.objects.lock_held([turn.lease for turn, _ in items], worker)
        unsent = OutboundMessage.objects.begin_sending(part.id for turn, part in items if turn.lease.id in held)
    return [part.id in unsent if turn.lease.id in held else LeaseLost() for turn, part in items]


def _without_the_deleted(turns: Sequence[Turn]) -> bool:
    """Detach deleted people from their turns; return whether there were any."""
    there = set(User.objects.filter(pk__in=[turn.user.pk for turn in turns if turn.user]).values_list("pk", flat=True))
    deleted = [turn for turn in turns if turn.user and turn.user.pk not in there]
    for turn in deleted:
        turn.user = None
    return bool(deleted)


def _answered(turn: Turn, stored_ms: int) -> list[AnsweredMessage]:
    first, *others = turn.messages
    steps = [*turn.steps, ("stored", stored_ms)]
    return [AnsweredMessage(first.id, turn.key, steps), *(AnsweredMessage(other.id, turn.key) for other in others)]


def _parts(turn: Turn) -> list[dict[str, Any]]:
    queued = {"bot_id": turn.bot.id, "address": turn.address, "turn_key": turn.key, "status": Status.QUEUED}
    now = timezone.now()
    queued |= {"attempts": 0, "sending_at": None, "created_at": now, "updated_at": now}
    said = turn.result
    parts = reply_parts(turn.bot.channel, said.reply or "", said.documents, said.rendered)
    rows = [
        {**queued, "part": number, "text": part.text, "filename": part.filename}
        for number, part in enumerate(parts, start=1)
    ]
    # A document is uploaded before its send begins, and a send outside the reply window does not begin.
    if rows and not rows[0]["filename"] and not turn.window_is_closed(now):
        rows[0] |= {"status": Status.SENDING, "attempts": 1, "sending_at": now}
    return rows

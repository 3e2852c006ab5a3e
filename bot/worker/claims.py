"""Claim turns: lease waiting chats and load what their turns need, many chats in one transaction."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice, takewhile

from django.db import transaction
from django.utils import timezone

from bot.command_call import read_call
from bot.models import VISITOR, InboundMessage, Lease, OutboundMessage, PendingRow, TakenLease
from bot.pipeline.result import After, Result
from bot.pipeline.turn import Turn
from bot.queue.snapshot import ActiveBot, bot_by_id, current
from bot.queue.turn_message import TurnMessage
from bot.worker.loading import load
from bot.worker.retry import MOST_ATTEMPTS

logger = logging.getLogger(__name__)

Origin = InboundMessage.Origin

LEASE_TIME = timedelta(seconds=30)
# A turn takes at most this many messages; a longer backlog of one chat is answered in several turns.
MOST_MESSAGES = 50
# How long to skip chats of a bot that this process cannot serve, which would block others at every poll.
LEFT_OUT_TIME = timedelta(seconds=30)


def claim(worker: str, most: int, *, suspect: bool = True, idle: bool = False) -> list[Turn]:
    """Take up to `most` waiting chats and return a turn for each, loaded and leased for LEASE_TIME.

    suspect: allow one chat whose previous workers all crashed. Claimed together with others, it would exhaust their
    attempts too.
    idle: check first, cheaply, whether anything is pending; a worker without turns polls many times a second.
    """
    if idle and not InboundMessage.objects.is_anything_pending():
        return []
    now = timezone.now()
    chats = Lease.objects.next_suspect(now) if suspect else []
    if len(chats) < most:
        chats += InboundMessage.objects.waiting_chats(now, most - len(chats))
    if not chats:  # idle: no transaction, no lock
        return []
    return take(worker, chats, now)


def take(worker: str, chats: Sequence[tuple[int, str]], now: datetime) -> list[Turn]:
    """Take those of the chats that are free, and return a turn for each that has something to answer."""
    with transaction.atomic():
        # Lock order: leases before any other row of their chats. Leases that another worker takes concurrently are
        # waited for, and left to it.
        leases = Lease.objects.take(chats, worker, now, now + LEASE_TIME)
        return _turns_of(leases)


def renew(worker: str, leases: Sequence[TakenLease]) -> int:
    """Extend the leases that are still this worker's; return how many."""
    with transaction.atomic():
        return Lease.objects.renew(leases, worker, timezone.now() + LEASE_TIME)


def release(worker: str, turns: Sequence[Turn]) -> None:
    """Release unfinished turns and undo their attempt: another worker may take them at once.

    Parts that were stored as being sent, perhaps by a turn that was cut off meanwhile, are queued again.
    """
    with transaction.atomic():
        held = Lease.objects.lock_held([turn.lease for turn in turns], worker)
        given_back = [turn for turn in turns if turn.lease.id in held]
        InboundMessage.objects.undo_attempt(message.id for turn in given_back for message in turn.messages)
        OutboundMessage.objects.undo_attempt(turn.key for turn in given_back if turn.has_requested_nothing)
        Lease.objects.release(held, timezone.now())


def _turns_of(leases: list[TakenLease]) -> list[Turn]:
    by_chat = {(lease.bot_id, lease.address): lease for lease in leases}
    rows: dict[tuple[int, str], list[PendingRow]] = defaultdict(list)
    for row in InboundMessage.objects.of_leased_chats([lease.id for lease in leases]):
        rows[row.bot_id, row.address].append(row)
    turns: list[Turn] = []
    useless: list[int] = []
    unserved: list[int] = []
    for chat, lease in by_chat.items():
        bot = bot_by_id(lease.bot_id)
        if bot is None or not rows[chat]:  # paused or answered since the queue was read
            (unserved if lease.bot_id in current().left_out else useless).append(lease.id)
        else:
            turns.append(_turn(bot, lease, rows[chat]))
    if useless:
        Lease.objects.release(useless, timezone.now())
    if unserved:
        Lease.objects.release(unserved, timezone.now() + LEFT_OUT_TIME)
    InboundMessage.objects.begin(message.id for turn in turns for message in turn.messages)
    return sorted(load(turns), key=lambda turn: turn.key)  # who waits longest begins first


def _turn(bot: ActiveBot, lease: TakenLease, rows: list[PendingRow]) -> Turn:
    chosen = _one_turn(rows)
    return Turn(
        bot=bot,
        address=lease.address,
        lease=lease,
        messages=[_message(row) for row in chosen],
        call=read_call(chosen[0].payload.get("text", "")),
        is_stored=any(row.turn_key is not None for row in chosen),
        result=Result(after=After.DELETE_CHAT if chosen[0].origin == Origin.FAREWELL else After.KEEP),
    )


def _one_turn(rows: list[PendingRow]) -> list[PendingRow]:
    """Return the pending messages of a chat that make its next turn."""
    if rows[0].attempts >= MOST_ATTEMPTS:
        return [row for row in rows if row.attempts >= MOST_ATTEMPTS]
    answered = rows[0].turn_key
    if answered is not None:  # its reply is stored: those messages, and no later ones
        return [row for row in rows if row.turn_key == answered]
    # A command is a turn of its own, so that a question asked just before it gets its own answer.
    if len(rows) == 1 or _stands_alone(rows[0]):
        return rows[:1]
    # A new holder of a recycled number has another second address than the former one.
    other = rows[0].payload.get("other_address", "")
    fresh = takewhile(
        lambda row: row.turn_key is None and not _stands_alone(row) and row.payload.get("other_address", "") == other,
        rows,
    )
    return list(islice(fresh, MOST_MESSAGES))


def _stands_alone(row: PendingRow) -> bool:
    """Return whether a message is a turn of its own: a command or a notice."""
    return row.origin != Origin.PERSON or read_call(row.payload.get("text", "")) is not None


def _message(row: PendingRow) -> TurnMessage:
    payload = row.payload
    return TurnMessage(
        id=row.id,
        external_id=row.external_id,
        kind=row.kind,
        text=payload.get("text", ""),
        sent_at=row.sent_at,
        attempts=row.attempts + 1,
        other_address=payload.get("other_address", ""),
        profile_name=payload.get("profile_name", ""),
        notice="" if row.origin == Origin.PERSON else payload.get("notice", ""),
        request_id=row.request_id,
        received_at=row.received_at,
        visitor=payload.get(VISITOR),
        note=payload.get("note", ""),
        quotes=payload.get("quotes", ""),
    )

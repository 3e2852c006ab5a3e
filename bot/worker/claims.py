"""Claim turns: take the leases of waiting chats and load all their turns need, in one transaction for many chats."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
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
# How long the chats of a bot that cannot be served are left alone: asked for at every poll, they would be in the way.
LEFT_OUT_TIME = timedelta(seconds=30)


def claim(worker: str, most: int, *, suspect: bool = True, idle: bool = False) -> list[Turn]:
    """Take up to `most` waiting chats and return a turn for each, loaded and leased for LEASE_TIME.

    suspect: allow one chat whose previous workers all crashed. Claimed together with others, it would exhaust their
    attempts too.
    idle: most likely nothing waits; that is asked first, because it is asked many times a second.
    """
    if idle and not InboundMessage.objects.is_anything_pending():
        return []
    now = timezone.now()
    chats = Lease.objects.next_suspect(now) if suspect else []
    if len(chats) < most:
        chats += InboundMessage.objects.waiting_chats(now, most - len(chats))
    if not chats:  # the idle case: reads only, no transaction, no lock
        return []
    with transaction.atomic():
        # Lock order: leases before anything of their chats, here as everywhere. What another worker takes meanwhile is
        # waited for and then left to it.
        leases = Lease.objects.take(chats, worker, now, now + LEASE_TIME)
        turns = _turns_of(leases)
    return turns


def renew(worker: str, leases: Sequence[TakenLease]) -> int:
    """Extend those of the leases that are still this worker's, and return how many they are."""
    with transaction.atomic():
        return Lease.objects.renew(leases, worker, timezone.now() + LEASE_TIME)


def release(worker: str, turns: Sequence[Turn]) -> None:
    """Give turns back unfinished, as if they had not been begun: another worker may take them at once.

    What was stored as being sent goes with the store's transaction, perhaps of a turn that was cut off meanwhile.
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
    """Choose which pending messages of a chat make its next turn."""
    if rows[0].attempts >= MOST_ATTEMPTS:
        return [row for row in rows if row.attempts >= MOST_ATTEMPTS]
    answered = rows[0].turn_key
    if answered is not None:  # its reply is stored: those messages, and no later ones
        return [row for row in rows if row.turn_key == answered]
    # A command is a turn of its own, so that a question asked just before it gets its own answer.
    if len(rows) == 1 or _stands_alone(rows[0]):
        return rows[:1]
    # Who writes from a number that has changed hands comes with another id than who wrote from it before.
    other = rows[0].payload.get("other_address", "")
    fresh = takewhile(
        lambda row: row.turn_key is None and not _stands_alone(row) and row.payload.get("other_address", "") == other,
        rows,
    )
    return list(islice(fresh, MOST_MESSAGES))


def _stands_alone(row: PendingRow) -> bool:
    """Return whether a message is a command, or a notice, which nobody wrote."""
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

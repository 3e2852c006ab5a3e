"""Reopen ended turns: after a late delivery status of an uncertain part, or by a decision of staff.

Every change is conditional on the state it starts from, and so idempotent and safe in parallel.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from bot.errors import ErrorCode
from bot.models import EMPTIED, RESOLVED, InboundMessage, OutboundMessage

State = InboundMessage.State
Status = OutboundMessage.Status

# Later than this, the rest of a reply would arrive among newer messages of the chat.
RESUME_WITHIN = timedelta(minutes=10)
BATCH = 200


def resolve(turn_key: int, *, at_any_time: bool = False) -> None:
    """Resume a reply whose uncertain part turned out to be sent. Call it in the transaction that found out.

    The parts after it were held back; they are queued now, unless it is too late for them.
    """
    since = None if at_any_time else timezone.now() - RESUME_WITHIN
    turn = InboundMessage.objects.of_turn(turn_key).filter(state=State.DONE)
    if OutboundMessage.objects.requeue_failed(turn_key, held_back=True, since=since):
        turn.reopen()
    else:
        turn.update(error_code="")


def mark_sent(ids: Iterable[int]) -> int:
    """Mark uncertain messages as sent, by decision of staff, and resume their replies; return how many there were."""
    with transaction.atomic():
        found = _locked(ids, (Status.UNCERTAIN,))
        for message in found:
            message.settle_by_hand(Status.SENT, RESOLVED)
            resolve(message.turn_key, at_any_time=True)
    return len(found)


def send_again(ids: Iterable[int]) -> int:
    """Send uncertain or failed messages again, and the rest of their replies; staff accept possible duplicates.

    Returns how many are queued: those whose text was deleted meanwhile are not.
    """
    with transaction.atomic():
        found = [message for message in _locked(ids, OutboundMessage.SENDABLE_AGAIN) if message.text]
        for message in found:
            message.settle_by_hand(Status.QUEUED)
            OutboundMessage.objects.requeue_failed(message.turn_key)
            InboundMessage.objects.of_turn(message.turn_key).exclude(state=State.PENDING).reopen()
    return len(found)


def replay(ids: Iterable[int]) -> int:
    """Requeue dead letters and return how many messages that are.

    A stored reply is sent as it is, because it was paid for; without one the turn is answered anew. All messages of a
    turn are replayed, also if only one of them was chosen.
    """
    chosen, replayed = sorted(set(ids)), 0
    for start in range(0, len(chosen), BATCH):
        with transaction.atomic():
            replayed += _replay(chosen[start : start + BATCH])
    return replayed


def _replay(ids: list[int]) -> int:
    dead = InboundMessage.objects.select_for_update().filter(id__in=ids, state=State.DEAD).exclude(payload=EMPTIED)
    rows = list(dead.order_by("id").values_list("id", "turn_key", "error_code"))
    replayed = InboundMessage.objects.filter(id__in=[id for id, key, _ in rows if key is None]).reopen()
    codes = {key: code for _, key, code in rows if key is not None}
    for key, code in codes.items():
        turn = InboundMessage.objects.of_turn(key).filter(state=State.DEAD)
        sends_stored_reply = code != ErrorCode.INTERNAL_ERROR and OutboundMessage.objects.requeue_failed(key)
        replayed += turn.reopen()
        if not sends_stored_reply:
            OutboundMessage.objects.filter(turn_key=key).delete()
            InboundMessage.objects.of_turn(key).update(turn_key=None)
    return replayed


def _locked(ids: Iterable[int], statuses: Iterable[str]) -> list[OutboundMessage]:
    rows = OutboundMessage.objects.select_for_update().filter(id__in=list(ids), status__in=statuses)
    return list(rows.order_by("id"))

"""Settlement of turns: record the result of a send, end or postpone its turn, release the lease. Writes are fenced.

settle() handles a batch of items in one transaction; an item whose lease is no longer held gets LeaseLost.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.db import transaction
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext as _

from bot.models import InboundMessage, Lease, LeaseLost, OutboundMessage, SendRecord, code_of
from bot.pipeline.result import After
from bot.pipeline.turn import Turn
from bot.privacy.erasure.farewell import delete_chat_rows
from bot.queue.notices import notify_chat
from bot.queue.pausing import pause
from bot.queue.recovery import resolve
from bot.worker.retry import free_at
from usage.budgets import release
from usage.models import Reservation
from users.seen import is_due, note_seen

logger = logging.getLogger(__name__)

Status = OutboundMessage.Status
# How long a farewell stays visible in the simulator, which reads the outbox.
FAREWELL_SHOWN = timedelta(seconds=30)


class Outcome(Enum):
    """The effect of a settlement on its turn: go on, end it, retry it later, mark it dead, or pause its bot."""

    GO_ON = "go on"
    DONE = "done"
    RETRY = "retry"
    DEAD = "dead"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class Settlement:
    """The result of a step of sending: the status of one part, if any, and the outcome of the turn.

    doubt: why the status of the part, or of one before it, is uncertain. account_refused: the bot pauses because of
    its account, not its token. lost_file: the name of a document that could not be sent, though the text may have
    announced it.
    """

    turn: Turn
    outcome: Outcome
    part_id: int | None = None
    status: str = ""
    external_id: str = ""
    error_code: str = ""
    doubt: str = ""
    retry_in: timedelta | None = None
    account_refused: bool = False
    lost_file: str = ""

    @property
    def code(self) -> str:
        """The problem as one code."""
        return code_of(self.error_code, self.doubt)


def settle(worker: str, items: Sequence[Settlement]) -> list[bool | Exception]:
    """Record the results of sends and turns, and release the leases of turns that ended or wait."""
    with transaction.atomic():
        held = Lease.objects.lock_held([item.turn.lease for item in items], worker)
        mine = [item for item in items if item.turn.lease.id in held]
        _settle_parts(mine)
        put_off = (item.turn for item in mine if item.outcome is Outcome.RETRY and item.part_id is None)
        OutboundMessage.objects.undo_attempt(turn.key for turn in put_off if turn.has_requested_nothing)
        _settle_done([item for item in mine if item.outcome is Outcome.DONE])
        for item in mine:
            if item.outcome is Outcome.DEAD:
                _mark_dead(item)
            if item.outcome is Outcome.PAUSE:
                _pause(item)
            if item.outcome in (Outcome.RETRY, Outcome.DEAD, Outcome.PAUSE):
                Lease.objects.release([item.turn.lease.id], free_at(item.retry_in))
        _go_on_with_overtaken(mine)
        # A dead turn without a stored reply still has its reservation. Lock order: budget rows of the day last, in one
        # call for all, because their holder must not wait for a reservation.
        if dead := [item.turn.key for item in mine if item.outcome is Outcome.DEAD]:
            release(Reservation.objects.filter(turn_key__in=dead))
        _note_seen(mine)
    return [item.turn.lease.id in held or LeaseLost() for item in items]


def _settle_parts(items: list[Settlement]) -> None:
    with_part = [(item, item.part_id) for item in items if item.part_id is not None]
    OutboundMessage.objects.record(
        [
            SendRecord(part_id, item.status, item.external_id, item.error_code, item.doubt)
            for item, part_id in with_part
            if item.status != Status.QUEUED
        ]
    )
    for item, part_id in with_part:
        if item.status == Status.QUEUED:
            OutboundMessage.objects.requeue(part_id, item.error_code)


def _settle_done(items: list[Settlement]) -> None:
    by_code: dict[str, list[int]] = {}
    strangers: list[int] = []
    farewells = [item for item in items if item.turn.is_farewell]
    _say_goodbye(farewells)
    items = [item for item in items if item not in farewells]
    for item in items:
        ids = [message.id for message in item.turn.messages]
        if item.turn.result.after is After.DELETE_MESSAGES:
            strangers += ids
        else:
            by_code.setdefault(item.code or item.turn.result.error_code, []).extend(ids)
            if item.code:  # uncertain or expired: what is left of the reply stays unsent
                OutboundMessage.objects.abandon(item.turn.key, item.error_code, item.doubt)
    for code, ids in by_code.items():
        InboundMessage.objects.finish(ids, error_code=code)
    if strangers:
        InboundMessage.objects.filter(id__in=strangers).delete()
    Lease.objects.release([item.turn.lease.id for item in items], timezone.now())


def _note_seen(items: Iterable[Settlement]) -> None:
    """Update when people were last seen: one statement a quarter of an hour, for all who are due."""
    seen: dict[int, datetime] = {}
    for item in items:
        at, person = item.turn.written_at, item.turn.user
        if person is None or at is None or item.turn.is_farewell or not is_due(person.last_seen_at, at):
            continue
        person.last_seen_at = at
        seen[person.pk] = max(at, seen.get(person.pk, at))
    note_seen(seen)


def _say_goodbye(items: Sequence[Settlement]) -> None:
    """Delete the rows of sent farewells; in the simulator, which reads the outbox, after a delay."""
    read_here = [item for item in items if item.part_id and item.turn.bot.channel.reads_outbox]
    Lease.objects.release([item.turn.lease.id for item in read_here], free_at(FAREWELL_SHOWN))
    _delete_chat_rows([item.turn for item in items if item not in read_here])


def _delete_chat_rows(turns: Sequence[Turn]) -> None:
    message_ids = [id for turn in turns for id in turn.message_ids]
    delete_chat_rows([turn.key for turn in turns], message_ids, [turn.lease.id for turn in turns])


def _mark_dead(item: Settlement) -> None:
    if item.turn.is_farewell:
        _delete_chat_rows([item.turn])
        return
    InboundMessage.objects.mark_dead([message.id for message in item.turn.messages], item.error_code)
    OutboundMessage.objects.abandon(item.turn.key, item.error_code)
    if item.lost_file:
        text = lazy(_lost_file_text, str)(item.lost_file)
        notify_chat(item.turn.bot, item.turn.messages[-1], item.turn.address, f"file:{item.part_id}", text)


def _lost_file_text(filename: str) -> str:
    return _("I could not send you the file %(file)s. Please ask for it again later, or tell the owner.") % {
        "file": filename
    }


def _pause(item: Settlement) -> None:
    """Pause a bot whose token or account is refused: its turns wait, without an attempt counted."""
    InboundMessage.objects.undo_attempt(message.id for message in item.turn.messages)
    pause(item.turn.bot, item.error_code, of_account=item.account_refused)


def _go_on_with_overtaken(items: list[Settlement]) -> None:
    """Resume replies settled as uncertain after a delivery status had already told that they were sent."""
    uncertain = [item.part_id for item in items if item.part_id and item.status == Status.UNCERTAIN]
    if uncertain:
        told = OutboundMessage.objects.filter(id__in=uncertain, status__in=OutboundMessage.GONE_OUT)
        for turn_key in told.values_list("turn_key", flat=True):
            resolve(turn_key)

"""Erase a person: everything that is held about them goes, everywhere, and what is late does not bring it back.

What a worker has under way for them is cut off by its lease: it stores and sends no more. A request that is on its way
to the provider can't be called back; nothing is left of it here.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.utils import timezone

from bot.models import Bot, Lease
from bot.privacy.disk import empty_write_ahead_log
from bot.privacy.erasure.farewell import Farewell, turn_into_farewell
from bot.privacy.erasure.found_rows import Holdings, find_holdings
from bot.privacy.erasure.steps import STEPS, Erasure, HasMoved
from bot.privacy.subjects import Subject, subject_of
from config.db.batches import delete_in_batches
from conversations.models import Message
from usage.budgets import release
from usage.models import Reservation, UsageRecord
from users.models import AuditEntry, User, keep_an_owner

logger = logging.getLogger(__name__)

# A transaction that meets another one about the same person in the opposite order is begun again.
TRIES = 3
MOST_AHEAD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows went or were emptied, by step."""

    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


def erase(subject: Subject, *, via: str, actor: User | None = None, farewell: Farewell | None = None) -> Erased:
    """Erase everything that is held about somebody, and note in the audit log that it was done.

    via: chat, admin or command; actor: the member of staff who does it, None: the person themselves, or whoever has the
    server's terminal. farewell: the turn in which they asked for it; it is answered with its text, and then goes, too.

    Raises:
        LastOwner: no owner would be left; nothing was erased.
        LeaseLost: the farewell's turn is somebody else's now; nothing was erased.
    """
    if subject.person is not None:
        with transaction.atomic():
            keep_an_owner([subject.person.pk])
        # What there may be much of, in batches that nobody waits for. Whoever stops here has to begin again.
        _forget_conversations(subject.person)
        UsageRecord.objects.detach(subject.person)
    for tries_left in reversed(range(TRIES)):
        try:
            erased = _erase(_as_they_are_now(subject), via, actor, farewell)
        except (OperationalError, HasMoved):
            if not tries_left or connection.in_atomic_block:
                raise
        else:
            break
    ids = {"person": subject.person.pk if subject.person else None, "staff": actor.pk if actor else None}
    logger.warning("person_erased", extra={**ids, "via": via, **erased.counts})
    transaction.on_commit(empty_write_ahead_log)
    return erased


def _as_they_are_now(subject: Subject) -> Subject:
    """Return somebody with the addresses they have now, besides those they had when they were looked up."""
    person = User.objects.filter(pk=subject.person.pk).first() if subject.person else None
    return subject_of(person, subject.addresses) if person else subject


def _erase(subject: Subject, via: str, actor: User | None, farewell: Farewell | None) -> Erased:
    holdings = find_holdings(subject)
    with transaction.atomic():
        return _erase_found(subject, holdings, via, actor, farewell)


def _erase_found(
    subject: Subject, holdings: Holdings, via: str, actor: User | None, farewell: Farewell | None
) -> Erased:
    key = subject.person.pk if subject.person else None
    if farewell:
        Lease.objects.lock_own_or_raise(farewell.lease)
    # Before anything else: until the end no worker can take their chats, and who has one has it no more.
    Lease.objects.revoke(_chats(subject), keep=farewell.lease.id if farewell else None)
    erasure = Erasure(subject, _moment(holdings), holdings, farewell)
    if key is not None:
        release(Reservation.objects.filter(user=key))
    counts = {step.__name__: step(erasure) for step in STEPS}
    if farewell:
        turn_into_farewell(farewell)
    details = {name: count for name, count in counts.items() if count}
    # Who erases themselves as staff is gone by now.
    staff = actor if actor and actor.pk != key else None
    AuditEntry.objects.create(action=AuditEntry.Action.ERASED, subject=key, actor=staff, via=via, details=details)
    return Erased(counts)


def _moment(holdings: Holdings) -> datetime:
    """Return the time up to which nothing of theirs is taken in: now, or that of their latest message if it is later.

    The provider's clock says when a message was written, and may be ahead of ours; but not by any time that it says.
    """
    now = timezone.now()
    return max(now, min(holdings.last_written or now, now + MOST_AHEAD))


def _forget_conversations(person: User) -> None:
    delete_in_batches(Message.objects.filter(conversation__user=person))


def _chats(subject: Subject) -> list[tuple[int, str]]:
    """Return every chat there could be with them: each of their addresses with each bot of its channel."""
    bots = Bot.objects.filter(channel__in={channel for channel, _ in subject.addresses}).values_list("pk", "channel")
    return [(bot, address) for bot, of in bots for channel, address in subject.addresses if channel == of]

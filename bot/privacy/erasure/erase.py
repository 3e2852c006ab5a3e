"""Erasure of a person: delete everything held about them, and keep late messages from bringing it back.

Revoked leases stop workers with a turn of theirs from storing and sending. A request that is on its way to the provider
cannot be cancelled; nothing of it is kept here.
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

# Attempts of a transaction that conflicts with another one about the same person.
TRIES = 3
MOST_AHEAD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Erased:
    """The number of deleted or emptied rows, by step."""

    counts: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """The sum of all steps."""
        return sum(self.counts.values())


def erase(subject: Subject, *, via: str, actor: User | None = None, farewell: Farewell | None = None) -> Erased:
    """Erase everything held about a subject, and record it in the audit log.

    via: chat, admin or command. actor: the member of staff who does it; None for the person themselves, or the server's
    terminal. farewell: the turn in which they asked for it, which is answered with its text and then deleted, too.

    Raises:
        LastOwner: no owner would be left; nothing was erased.
        LeaseLost: another worker has the farewell's turn; nothing was erased.
    """
    if subject.person is not None:
        with transaction.atomic():
            keep_an_owner([subject.person.pk])
        # First the many rows, in batches outside the transaction. An erasure that stops here has to be repeated.
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
    """Return the subject with its present addresses added to those of the lookup."""
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
    # Lock order: leases first. Until the transaction ends no worker can take their chats, and present owners lose them.
    Lease.objects.revoke(_chats(subject), keep=farewell.lease.id if farewell else None)
    erasure = Erasure(subject, _moment(holdings), holdings, farewell)
    if key is not None:
        release(Reservation.objects.filter(user=key))
    counts = {step.__name__: step(erasure) for step in STEPS}
    if farewell:
        turn_into_farewell(farewell)
    details = {name: count for name, count in counts.items() if count}
    # Staff who erase themselves are deleted by now.
    staff = actor if actor and actor.pk != key else None
    AuditEntry.objects.create(action=AuditEntry.Action.ERASED, subject=key, actor=staff, via=via, details=details)
    return Erased(counts)


def _moment(holdings: Holdings) -> datetime:
    """Return the time up to which their messages are dropped: now, or that of their latest message if later.

    A message's time is of the provider's clock, which may be ahead of ours; the difference taken is limited.
    """
    now = timezone.now()
    return max(now, min(holdings.last_written or now, now + MOST_AHEAD))


def _forget_conversations(person: User) -> None:
    delete_in_batches(Message.objects.filter(conversation__user=person))


def _chats(subject: Subject) -> list[tuple[int, str]]:
    """Return every possible chat with them: each of their addresses with each bot of its channel."""
    bots = Bot.objects.filter(channel__in={channel for channel, _ in subject.addresses}).values_list("pk", "channel")
    return [(bot, address) for bot, of in bots for channel, address in subject.addresses if channel == of]

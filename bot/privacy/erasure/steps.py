"""Steps of an erasure, in lock order: each deletes one kind of trace and returns how many rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from bot.models import AccessRequest, InboundMessage, Lease, OutboundMessage
from bot.privacy.erasure import traces
from bot.privacy.erasure.farewell import Farewell
from bot.privacy.erasure.found_rows import Holdings, inbound_of
from bot.privacy.erasure.staff_texts import notes_naming, settled_texts
from bot.privacy.numbers import names_in
from bot.privacy.subjects import Subject, subject_of
from bot.queue.access_requests import forget_requests
from users.models import Invite, Tombstone, User

# Bounded by the number of parameters of a statement.
KEYS_AT_ONCE = 5_000


class HasMoved(Exception):
    """The person's address changed while we were collecting their rows; collect again."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """A running erasure: its subject, time, found rows, and the farewell's turn, if any."""

    subject: Subject
    at: datetime
    holdings: Holdings = field(repr=False)
    farewell: Farewell | None = None


def access_requests(erasure: Erasure) -> int:
    """Delete their access requests. Lock order: requests before people."""
    theirs = erasure.subject.chats(AccessRequest)
    for former in erasure.holdings.former:
        had = Subject(None, frozenset(former.pairs), whoever=True)
        theirs |= had.chats(AccessRequest) & Q(first_seen_at__lt=former.until)
    found = AccessRequest.objects.filter(theirs).order_by("pk")
    ids = list(found.select_for_update(of=("self",)).values_list("pk", flat=True))
    forget_requests(ids)
    return len(ids)


def tombstones(erasure: Erasure) -> int:
    """Store tombstones (keyed hashes) of their addresses, so that late messages are dropped."""
    Tombstone.objects.bury(erasure.subject.addresses, erasure.at)
    for former in erasure.holdings.former:
        Tombstone.objects.bury(former.pairs, former.until)
    return 0  # nothing of theirs was deleted


def admin_history(erasure: Erasure) -> int:
    """Delete the admin's history of them, of their rows, which must still exist, and of their actions as staff."""
    holdings = erasure.holdings
    return traces.admin_history(erasure.subject, holdings.inbound, holdings.outbound).delete()[0]


def outbox(erasure: Erasure) -> int:
    """Delete messages to them, sent or queued. Lock order: before the inbox, like delivery statuses."""
    late = OutboundMessage.objects.filter(erasure.subject.chats(OutboundMessage), pk__gt=erasure.holdings.last_outbound)
    return _delete(OutboundMessage, [*erasure.holdings.outbound, *late.values_list("pk", flat=True)])


def inbox(erasure: Erasure) -> int:
    """Delete their messages, except the one that the farewell answers."""
    late = InboundMessage.objects.filter(inbound_of(erasure.subject), pk__gt=erasure.holdings.last_inbound)
    keys = {*erasure.holdings.inbound, *late.values_list("pk", flat=True)}
    return _delete(InboundMessage, sorted(keys - set(erasure.farewell.message_ids if erasure.farewell else ())))


def leases(erasure: Erasure) -> int:
    """Delete the leases of their chats, except that of the farewell."""
    found = Lease.objects.filter(erasure.subject.chats(Lease))
    if erasure.farewell:
        found = found.exclude(pk=erasure.farewell.lease.id)
    # A former address may be somebody else's by now, whom a worker may be answering.
    former = [pair for one in erasure.holdings.former for pair in one.pairs]
    of_former = Lease.objects.filter(Subject(None, frozenset(former)).chats(Lease))
    idle = of_former.filter(Q(worker="") | Q(expires_at__lte=timezone.now()))
    # Leases that the revocation created have fence 1 and are not counted.
    known = found.filter(fence__gt=1).count()
    found.delete()
    return known + idle.delete()[0]


def notes(erasure: Erasure) -> int:
    """Redact their numbers and addresses in notes of invites for others. Their own invites are deleted by cascade."""
    found = notes_naming(names_in(erasure.subject.addresses))
    return sum(Invite.objects.filter(pk=pk).update(note=note) for pk, note in found.items())


def what_staff_wrote(erasure: Erasure) -> int:
    """Empty other staff's command answers and failed commands that name them; the rows stay."""
    answers, commands = _portions(erasure.holdings.answers), _portions(erasure.holdings.commands)
    emptied = sum(settled_texts().filter(pk__in=some).update(text="") for some in answers)
    return emptied + sum(InboundMessage.objects.filter(pk__in=some).empty() for some in commands)


def sessions(erasure: Erasure) -> int:
    """Delete their admin sessions."""
    return _delete(Session, traces.sessions_of(erasure.subject))


def themselves(erasure: Erasure) -> int:
    """Delete the person, and by cascade: identities, conversations, invites for them, chosen models, daily spends.

    Usage records stay, anonymous.

    Raises:
        HasMoved: they have an address that was not searched.
    """
    if erasure.subject.person is None:
        return 0
    # Not instance.delete(), which clears the primary key that a retry needs.
    found = User.objects.filter(pk=erasure.subject.person.pk)
    for known in found.select_for_update():
        if not subject_of(known).addresses <= erasure.subject.addresses:
            raise HasMoved
    return found.delete()[0]


STEPS: tuple[Callable[[Erasure], int], ...] = (
    access_requests,
    tombstones,
    admin_history,
    outbox,
    inbox,
    leases,
    notes,
    what_staff_wrote,
    sessions,
    themselves,
)


def _delete(model: type[Model], keys: Iterable[Any]) -> int:
    """Delete rows by primary key; referring rows were deleted before, or cascade."""
    rows: QuerySet[Any] = model._default_manager.all()
    return sum(rows.filter(pk__in=some).delete()[0] for some in _portions(keys))


def _portions(keys: Iterable[Any]) -> Iterator[Sequence[Any]]:
    remaining = iter(keys)
    while some := list(islice(remaining, KEYS_AT_ONCE)):
        yield some

"""The steps of an erasure, in the order in which they lock: each takes one kind of trace away, and says how much."""

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

# Bounded by how many parameters a statement may have.
KEYS_AT_ONCE = 5_000


class HasMoved(Exception):
    """A provider has told just now that they are named otherwise: what was found is not all."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure under way: of whom, when, what was found of them, and the turn that says goodbye, if one does."""

    subject: Subject
    at: datetime
    holdings: Holdings = field(repr=False)
    farewell: Farewell | None = None


def access_requests(erasure: Erasure) -> int:
    """Delete that they asked for access. Locked before people are, here as everywhere."""
    theirs = erasure.subject.chats(AccessRequest)
    for former in erasure.holdings.former:
        had = Subject(None, frozenset(former.pairs), whoever=True)
        theirs |= had.chats(AccessRequest) & Q(first_seen_at__lt=former.until)
    found = AccessRequest.objects.filter(theirs).order_by("pk")
    ids = list(found.select_for_update(of=("self",)).values_list("pk", flat=True))
    forget_requests(ids)
    return len(ids)


def tombstones(erasure: Erasure) -> int:
    """Note by keyed hashes that their addresses are erased, so that nothing late brings them back."""
    Tombstone.objects.bury(erasure.subject.addresses, erasure.at)
    for former in erasure.holdings.former:
        Tombstone.objects.bury(former.pairs, former.until)
    return 0  # (not something of theirs that goes)


def admin_history(erasure: Erasure) -> int:
    """Delete the admin's history of them and of their rows, before the rows go, and of what they did as staff."""
    holdings = erasure.holdings
    return traces.admin_history(erasure.subject, holdings.inbound, holdings.outbound).delete()[0]


def outbox(erasure: Erasure) -> int:
    """Delete what was or was to be sent to them. Before the inbox: a delivery status locks in this order."""
    late = OutboundMessage.objects.filter(erasure.subject.chats(OutboundMessage), pk__gt=erasure.holdings.last_outbound)
    return _delete(OutboundMessage, [*erasure.holdings.outbound, *late.values_list("pk", flat=True)])


def inbox(erasure: Erasure) -> int:
    """Delete what they wrote, but for the message that is answered with the farewell."""
    late = InboundMessage.objects.filter(inbound_of(erasure.subject), pk__gt=erasure.holdings.last_inbound)
    keys = {*erasure.holdings.inbound, *late.values_list("pk", flat=True)}
    return _delete(InboundMessage, sorted(keys - set(erasure.farewell.message_ids if erasure.farewell else ())))


def leases(erasure: Erasure) -> int:
    """Delete that their chats are known, but for the one in which they are told goodbye."""
    found = Lease.objects.filter(erasure.subject.chats(Lease))
    if erasure.farewell:
        found = found.exclude(pk=erasure.farewell.lease.id)
    # An address that was theirs may be somebody's since, whom a worker may answer now.
    former = [pair for one in erasure.holdings.former for pair in one.pairs]
    of_former = Lease.objects.filter(Subject(None, frozenset(former)).chats(Lease))
    idle = of_former.filter(Q(worker="") | Q(expires_at__lte=timezone.now()))
    # What was made just now to keep workers out has the first fence.
    known = found.filter(fence__gt=1).count()
    found.delete()
    return known + idle.delete()[0]


def notes(erasure: Erasure) -> int:
    """Take their numbers and addresses out of the notes of invites for others. Their own go with the person."""
    found = notes_naming(names_in(erasure.subject.addresses))
    return sum(Invite.objects.filter(pk=pk).update(note=note) for pk, note in found.items())


def what_staff_wrote(erasure: Erasure) -> int:
    """Empty the answers to other staff's commands that name them, and such commands that failed; the rows stay."""
    answers, commands = _portions(erasure.holdings.answers), _portions(erasure.holdings.commands)
    emptied = sum(settled_texts().filter(pk__in=some).update(text="") for some in answers)
    return emptied + sum(InboundMessage.objects.filter(pk__in=some).empty() for some in commands)


def sessions(erasure: Erasure) -> int:
    """Sign them out of the admin."""
    return _delete(Session, traces.sessions_of(erasure.subject))


def themselves(erasure: Erasure) -> int:
    """Delete the person, and by cascade: identities, conversations, invites for them, chosen models, daily spends.

    Usage records stay, and are nobody's.

    Raises:
        HasMoved: they have an address that was not looked for.
    """
    if erasure.subject.person is None:
        return 0
    # Not the object itself: it has to keep its key, should all this have to be done again.
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
    """Delete rows by primary key; what refers to them has gone before, or goes with them."""
    rows: QuerySet[Any] = model._default_manager.all()
    return sum(rows.filter(pk__in=some).delete()[0] for some in _portions(keys))


def _portions(keys: Iterable[Any]) -> Iterator[Sequence[Any]]:
    remaining = iter(keys)
    while some := list(islice(remaining, KEYS_AT_ONCE)):
        yield some

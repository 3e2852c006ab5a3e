"""Find the rows of the inbox and outbox that are somebody's, before anything is locked: neither has an index for it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Max, Q

from bot.models import InboundMessage, OutboundMessage
from bot.privacy.erasure.staff_texts import answers_naming, chats_of_staff, commands_naming
from bot.privacy.numbers import Names, names_in
from bot.privacy.subjects import Pair, Subject, channels_in_use
from users.phone import is_e164, spellings


@dataclass(frozen=True, slots=True)
class FormerAddress:
    """An address that was somebody's until a moment, and may be somebody else's since.

    last_message: the id of the row that told so: rows before it were theirs.
    """

    channel: str
    address: str = field(repr=False)
    until: datetime
    last_message: int

    @property
    def pairs(self) -> list[Pair]:
        """The address in all its spellings, each as (channel, address)."""
        return [(self.channel, one) for one in spellings(self.address)]


@dataclass(frozen=True, slots=True)
class Holdings:
    """The ids of what is somebody's in the inbox and outbox; up to which ids that was looked for.

    answers, commands: what other staff were answered, and asked in vain by a command, that names them.
    last_written: the provider's time of the latest message, which its clock may put ahead of ours.
    """

    former: list[FormerAddress] = field(repr=False)
    inbound: list[int]
    outbound: list[int]
    answers: list[int]
    commands: list[int]
    last_inbound: int
    last_outbound: int
    last_written: datetime | None


def find_holdings(subject: Subject) -> Holdings:
    """Return what is somebody's now. It reads both tables, and locks nothing."""
    # First, so that what comes in while they are read is looked at again.
    last_inbound, last_outbound = _last(InboundMessage), _last(OutboundMessage)
    former = _former_addresses(subject)
    mine = InboundMessage.objects.filter(inbound_of(subject) | _before(former, "pk"))
    rows = list(mine.values_list("pk", "sent_at"))
    keys = [key for key, _ in rows]
    theirs = subject.chats(OutboundMessage) | _before(former, "turn_key")
    # A reply goes where its turn's messages came from, unless these moved meanwhile.
    staff = chats_of_staff(subject)
    outbound = set(OutboundMessage.objects.filter(theirs).values_list("pk", flat=True))
    return Holdings(
        former=former,
        inbound=keys,
        outbound=sorted(outbound),
        answers=sorted(_naming(answers_naming, subject, staff, former)),
        commands=sorted(_naming(commands_naming, subject, staff, former)),
        last_inbound=last_inbound,
        last_outbound=last_outbound,
        last_written=max((sent_at for _, sent_at in rows if sent_at), default=None),
    )


def inbound_of(subject: Subject) -> Q:
    """Return the condition of inbound messages that are theirs: from their addresses, or naming one of them."""
    since = subject.since()
    others = {address for _, address in subject.addresses}
    # Two names of one person in one message: the second is linked to them only when it is answered.
    found = subject.chats(InboundMessage) | Q(payload__other_address__in=sorted(others - since.keys()))
    for address, at in since.items():
        found |= Q(payload__other_address=address, received_at__gt=at)
    return found


def _naming(
    find: Callable[[Names, Subject, int | None], list[int]],
    subject: Subject,
    staff: Subject,
    former: list[FormerAddress],
) -> set[int]:
    """Return what names them as they are called now, or by an address while it was theirs."""
    found = set(find(names_in(subject.addresses), staff, None))
    return found.union(*(find(names_in(one.pairs), staff, one.last_message) for one in former))


def _last(model: type[InboundMessage] | type[OutboundMessage]) -> int:
    return model._default_manager.aggregate(last=Max("pk"))["last"] or 0


def _former_addresses(subject: Subject) -> list[FormerAddress]:
    """Return the addresses that were theirs before a provider told of a change, in the days such rows are kept."""
    # The version before says it by the kind alone; it may still have run beside this one.
    told = Q(origin=InboundMessage.Origin.ADDRESS_CHANGE) | Q(kind="address_changed")
    changes = InboundMessage.objects.filter(told).exclude(payload={}).order_by("-pk")
    theirs, found, channels = set(subject.addresses), [], channels_in_use()
    # The latest first: what somebody was called before may have been a change as well.
    rows = changes.values_list("pk", "bot__channel", "received_at", "payload")
    for key, channel, received_at, payload in rows:
        for old, new in payload.get("moves", ()):
            if old and old != new and (channel, new) in theirs:
                # A number is the same person's on every channel, and only one of them tells that it changed.
                for place in channels if is_e164(old) else (channel,):
                    former = FormerAddress(place, old, received_at, key)
                    theirs.update(former.pairs)
                    found.append(former)
    return found


def _before(former: list[FormerAddress], key: str) -> Q:
    found = Q(pk=None)  # nothing
    for one in former:
        addresses = [address for _, address in one.pairs]
        found |= Q(**{"bot__channel": one.channel, "address__in": addresses, f"{key}__lt": one.last_message})
    return found

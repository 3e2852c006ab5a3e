"""Search for a person's rows in the inbox and outbox, without locks, as neither has an index for it."""

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
    """An address that a person had until a moment, and that may be somebody else's since.

    last_message: the id of the row that announced the change; rows before it were theirs.
    """

    channel: str
    address: str = field(repr=False)
    until: datetime
    last_message: int

    @property
    def pairs(self) -> list[Pair]:
        """All spellings of the address, each as (channel, address)."""
        return [(self.channel, one) for one in spellings(self.address)]


@dataclass(frozen=True, slots=True)
class Holdings:
    """The ids of a person's rows in the inbox and outbox, and the last ids that were searched.

    answers, commands: answers to other staff, and their failed commands, that name the person.
    last_written: the provider's time of the latest message, which may be ahead of our clock.
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
    """Return a subject's present rows. Reads both tables, and locks nothing."""
    # First, so that rows that arrive during the search are searched again.
    last_inbound, last_outbound = _last(InboundMessage), _last(OutboundMessage)
    former = _former_addresses(subject)
    mine = InboundMessage.objects.filter(inbound_of(subject) | _before(former, "pk"))
    rows = list(mine.values_list("pk", "sent_at"))
    keys = [key for key, _ in rows]
    theirs = subject.chats(OutboundMessage) | _before(former, "turn_key")
    # A reply has the address of its turn's messages, unless these were moved meanwhile.
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
    """Return the condition of a subject's inbound messages: from their addresses, or naming one of them."""
    since = subject.since()
    others = {address for _, address in subject.addresses}
    # The second address of a message is linked to the person only when it is answered.
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
    """Return the rows that name them by a present address, or by a former one while it was theirs."""
    found = set(find(names_in(subject.addresses), staff, None))
    return found.union(*(find(names_in(one.pairs), staff, one.last_message) for one in former))


def _last(model: type[InboundMessage] | type[OutboundMessage]) -> int:
    return model._default_manager.aggregate(last=Max("pk"))["last"] or 0


def _former_addresses(subject: Subject) -> list[FormerAddress]:
    """Return their former addresses by the announced changes whose rows are still kept."""
    # The previous version, which may have run beside this one, marks it by the kind alone.
    told = Q(origin=InboundMessage.Origin.ADDRESS_CHANGE) | Q(kind="address_changed")
    changes = InboundMessage.objects.filter(told).exclude(payload={}).order_by("-pk")
    theirs, found, channels = set(subject.addresses), [], channels_in_use()
    # The latest first, because a former address may itself come from a change.
    rows = changes.values_list("pk", "bot__channel", "received_at", "payload")
    for key, channel, received_at, payload in rows:
        for old, new in payload.get("moves", ()):
            if old and old != new and (channel, new) in theirs:
                # A number is the same person's on every channel, and only one of them announces a change.
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

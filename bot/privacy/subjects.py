"""Subjects of exports and erasures: a person, or an address of an unknown sender."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Model, Q

from bot.channels.registry import CHANNELS
from bot.models import AccessRequest, Bot, InboundMessage, Lease, OutboundMessage
from users.models import Tombstone, User
from users.phone import is_e164, read_number, spellings, variants

# (channel, address).
Pair = tuple[str, str]
# The time column of models with a bot and an address. A lease holds no personal data, and follows the address.
MADE_AT: dict[type[Model], str | None] = {
    InboundMessage: "received_at",
    OutboundMessage: "created_at",
    AccessRequest: "last_seen_at",
    Lease: None,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject: the person, if known, and every (channel, address) that names them, in all spellings.

    whoever: everybody who ever had the addresses, including former holders.
    """

    person: User | None
    addresses: frozenset[Pair] = field(repr=False)
    whoever: bool = False

    @property
    def numbers(self) -> frozenset[str]:
        """Their phone numbers as E.164, in all equivalent spellings."""
        return frozenset(address for _, address in self.addresses if is_e164(address))

    def chats(self, model: type[Model]) -> Q:
        """Return the condition of the subject's rows of a model with bot and address (inbox, outbox, leases, requests).

        Rows from before a former holder gave an address up are not the present holder's.
        """
        made_at = MADE_AT[model]
        since = self.since() if made_at else {}
        groups: dict[tuple[str, datetime | None], set[str]] = defaultdict(set)
        for channel, address in self.addresses:
            groups[channel, since.get(address)].add(address)
        found = Q(pk=None)  # nothing
        for (channel, moment), addresses in groups.items():
            later = {f"{made_at}__gt": moment} if moment else {}
            found |= Q(bot__channel=channel, address__in=sorted(addresses), **later)
        return found

    def since(self) -> dict[str, datetime]:
        """Return {address: since when it is theirs} of addresses that a former holder gave up, in one query.

        A number is the same person's on every channel, and only one of them may announce a change.
        """
        if self.whoever:
            return {}
        channels = channels_in_use()
        everywhere = {(one, address) for _, address in self.addresses if is_e164(address) for one in channels}
        found: dict[str, datetime] = {}
        for (_, address), at in Tombstone.objects.heard(everywhere | self.addresses).items():
            found[address] = max(at, found.get(address, at))
        return found


def channels_in_use() -> tuple[str, ...]:
    """Return the channels that rows may have, including channels unknown to this version, in one query."""
    return tuple(sorted({*CHANNELS, *Bot.objects.order_by().values_list("channel", flat=True).distinct()}))


def subject_of(person: User, others: Iterable[Pair] = ()) -> Subject:
    """Return a person with all their addresses. others: further addresses known to be theirs."""
    identities = set(person.identities.values_list("channel", "address"))
    numbers = variants(person.phone_number) if person.phone_number else ()
    everywhere = {(channel, number) for channel in channels_in_use() for number in numbers}
    spelled = {(channel, one) for channel, address in {*identities, *others} for one in spellings(address)}
    return Subject(person, frozenset(everywhere | spelled))


def subject_of_address(channel: str, address: str) -> Subject:
    """Return the subject of an address: a person, or an unknown sender."""
    person = User.objects.for_identity(channel, address)
    if person is not None:
        return subject_of(person, [(channel, address)])
    return Subject(None, frozenset((channel, one) for one in spellings(address)))


def subject_of_number(raw: str) -> Subject:
    """Return the subject of a phone number in any spelling: a person, or an unknown sender.

    Raises:
        InvalidPhoneNumber: the number cannot be read.
    """
    number = read_number(raw)
    channels = channels_in_use()
    person = User.objects.find_by_phone_number(number) or next(
        (known for channel in channels if (known := User.objects.for_identity(channel, number))), None
    )
    written = [(channel, number) for channel in channels]
    if person is not None:
        return subject_of(person, written)
    return Subject(None, frozenset((channel, one) for channel, _ in written for one in spellings(number)))

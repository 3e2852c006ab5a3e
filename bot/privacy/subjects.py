"""Whom an export or an erasure is about: a person, or an address that belongs to nobody we know."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Model, Q

from bot.channels.registry import CHANNELS
from bot.models import AccessRequest, Bot, InboundMessage, Lease, OutboundMessage
from users.models import Tombstone, User
from users.phone import is_e164, read_number, spellings, variants

# (channel, address), as everywhere.
Pair = tuple[str, str]
# When rows with a bot and an address were made. A lease holds nothing of anybody's, and is of who has the address.
MADE_AT: dict[type[Model], str | None] = {
    InboundMessage: "received_at",
    OutboundMessage: "created_at",
    AccessRequest: "last_seen_at",
    Lease: None,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom it is about: the person if there is one, and every (channel, address) that names them, in any spelling.

    whoever: everybody who ever had the addresses, also those who gave them up.
    """

    person: User | None
    addresses: frozenset[Pair] = field(repr=False)
    whoever: bool = False

    @property
    def numbers(self) -> frozenset[str]:
        """Their phone numbers as E.164, in every equivalent spelling."""
        return frozenset(address for _, address in self.addresses if is_e164(address))

    def chats(self, model: type[Model]) -> Q:
        """Return the condition of rows with a bot and an address (inbox, outbox, leases, requests) that are theirs.

        What was there when somebody gave an address up is not of who has it since.
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
        """Return since when addresses are theirs, of those that were given up by somebody before. One query.

        A number is the same person's on every channel, and only one of them may tell that it changed.
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
    """Return the channels that rows may belong to, also of bots that the running code does not know. One query."""
    return tuple(sorted({*CHANNELS, *Bot.objects.order_by().values_list("channel", flat=True).distinct()}))


def subject_of(person: User, others: Iterable[Pair] = ()) -> Subject:
    """Return a person with all their addresses. others: addresses that are known to be theirs as well."""
    identities = set(person.identities.values_list("channel", "address"))
    numbers = variants(person.phone_number) if person.phone_number else ()
    everywhere = {(channel, number) for channel in channels_in_use() for number in numbers}
    spelled = {(channel, one) for channel, address in {*identities, *others} for one in spellings(address)}
    return Subject(person, frozenset(everywhere | spelled))


def subject_of_address(channel: str, address: str) -> Subject:
    """Return whom an address of a channel means: a person, or nobody known."""
    person = User.objects.for_identity(channel, address)
    if person is not None:
        return subject_of(person, [(channel, address)])
    return Subject(None, frozenset((channel, one) for one in spellings(address)))


def subject_of_number(raw: str) -> Subject:
    """Return whom a phone number means, in any spelling: a person, or somebody who only wrote from it.

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

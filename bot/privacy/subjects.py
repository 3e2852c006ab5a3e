"""Whom an export or an erasure is about: a person, or an address that belongs to nobody we know."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q

from bot.channels.registry import CHANNELS
from users.managers import read_number, spellings
from users.models import User
from users.phone import is_e164, variants

# (channel, address), as everywhere.
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom it is about: the person if there is one, and every (channel, address) that names them, in any spelling."""

    person: User | None
    addresses: frozenset[Pair] = field(repr=False)

    @property
    def numbers(self) -> frozenset[str]:
        """Their phone numbers as E.164, in every equivalent spelling."""
        return frozenset(address for _, address in self.addresses if is_e164(address))

    def chats(self) -> Q:
        """Return the condition of rows with a bot and an address (inbox, outbox, leases, requests) that are theirs."""
        by_channel: dict[str, set[str]] = defaultdict(set)
        for channel, address in self.addresses:
            by_channel[channel].add(address)
        found = Q(pk=None)  # nothing
        for channel, addresses in sorted(by_channel.items()):
            found |= Q(bot__channel=channel, address__in=sorted(addresses))
        return found


def subject_of(person: User, others: Iterable[Pair] = ()) -> Subject:
    """Return a person with all their addresses. others: addresses that are known to be theirs as well."""
    identities = set(person.identities.values_list("channel", "address"))
    numbers = variants(person.phone_number) if person.phone_number else ()
    everywhere = {(channel, number) for channel in CHANNELS for number in numbers}
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
    channels = tuple(CHANNELS)
    person = User.objects.find_by_phone_number(number) or next(
        (known for channel in channels if (known := User.objects.for_identity(channel, number))), None
    )
    written = [(channel, number) for channel in channels]
    if person is not None:
        return subject_of(person, written)
    return Subject(None, frozenset((channel, one) for channel, _ in written for one in spellings(number)))

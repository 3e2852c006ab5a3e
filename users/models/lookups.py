"""Find people by what names them: a phone number in any spelling, an address on a channel; one or many at once."""

from collections import defaultdict
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.expressions import RawSQL

from config.db.sql import texts_source, texts_value
from users.phone import InvalidPhoneNumber, is_e164, read_number, spellings, variants

# (channel, address)
Pair = tuple[str, str]
Person = TypeVar("Person", bound=models.Model)


class PeopleByAddress(models.QuerySet[Person]):
    """Lookups of people that chain."""

    def find_by_phone_number(self, raw: str) -> Person | None:
        """Return the person with this number in any spelling, or None; an unreadable number is nobody's."""
        try:
            number = read_number(raw)
        except InvalidPhoneNumber:
            return None
        return self.filter(phone_number__in=variants(number)).first()

    def for_identity(self, channel: str, address: str) -> Person | None:
        """Return the person a channel means by address: by phone number, else by identity. One query."""
        known = self.filter(identities__channel=channel, identities__address__in=spellings(address))
        if not is_e164(address):
            return known.first()
        numbered = self.filter(phone_number__in=spellings(address))
        # A union, because an OR over both tables would read every person.
        both: Any = known.annotate(rank=Value(1)).union(numbered.annotate(rank=Value(0)), all=True)
        found: Person | None = both.order_by("rank")[:1].first()
        return found

    def holder_of(self, channel: str, address: str) -> Person | None:
        """Return who has an address, so that nobody else can be given it; a number is the same on every channel."""
        if not is_e164(address):
            return self.for_identity(channel, address)
        texts = spellings(address)
        numbered = self.filter(phone_number__in=texts).first()
        return numbered or self.filter(identities__address__in=texts).first()

    def for_identities(self, pairs: Iterable[Pair]) -> dict[Pair, Person]:
        """Return the person of each (channel, address) that has one, as for_identity() does. At most two queries."""
        wanted = list(dict.fromkeys(pairs))
        if not wanted:
            return {}
        known = self._by_number({pair for pair in wanted if is_e164(pair[1])})
        others = [pair for pair in wanted if pair not in known]
        return {**known, **(self._by_identity(others) if others else {})}

    def _by_number(self, pairs: set[Pair]) -> dict[Pair, Person]:
        numbers = {number for _, address in pairs for number in variants(address)}
        if not numbers:
            return {}
        # One parameter, however many they are: config/db/sql.py.
        listed = RawSQL(texts_source(), [texts_value(sorted(numbers))])  # noqa: S611 (only a placeholder)
        rows: Iterable[Any] = self.filter(phone_number__in=listed)
        people = {user.phone_number: user for user in rows}
        found = {pair: next((people[one] for one in spellings(pair[1]) if one in people), None) for pair in pairs}
        return {pair: user for pair, user in found.items() if user is not None}

    def _by_identity(self, pairs: list[Pair]) -> dict[Pair, Person]:
        addresses: dict[str, set[str]] = defaultdict(set)
        for channel, address in pairs:
            addresses[channel].update(spellings(address))
        one_of = (Q(identities__channel=channel, identities__address__in=found) for channel, found in addresses.items())
        rows: Iterable[Any] = self.filter(reduce(or_, one_of)).annotate(
            channel=F("identities__channel"), address=F("identities__address")
        )
        people = {(row.channel, row.address): row for row in rows}
        found = {}
        for channel, address in pairs:
            match = next((people[channel, text] for text in spellings(address) if (channel, text) in people), None)
            if match is not None:
                found[channel, address] = match
        return found

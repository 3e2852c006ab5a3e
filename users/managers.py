"""The repository of people: finding them however they are written, and creating each once."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Self

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.base_user import BaseUserManager
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q, Value
from django.db.models.expressions import RawSQL

from config.db.sql import texts_source, texts_value
from users.linking import end_invites_of
from users.number_lock import lock_numbers
from users.owners import keep_an_owner
from users.phone import InvalidPhoneNumber, is_e164, mask, normalise, variants
from users.phone import spellings as spellings
from users.roles import Role, role_flags

if TYPE_CHECKING:
    from users.models import Identity, User

Pair = tuple[str, str]


class DuplicatePhoneNumber(ValueError):
    """Somebody has this phone number already, in this or an equivalent spelling."""


class AddressTaken(ValueError):
    """The address belongs to somebody else."""


def read_number(raw: str) -> str:
    """Return raw as E.164; a national spelling is read with PHONE_DEFAULT_REGION.

    Raises:
        InvalidPhoneNumber: it cannot be read.
    """
    return normalise(raw, settings.PHONE_DEFAULT_REGION)


class UserQuerySet(models.QuerySet["User"]):
    """Lookups of people that chain."""

    def whitelisted(self) -> Self:
        """Keep the people who may talk to the bots."""
        return self.filter(is_whitelisted=True)

    def find_by_phone_number(self, raw: str) -> "User | None":
        """Return the person with this number in any spelling, or None; an unreadable number is nobody's."""
        try:
            number = read_number(raw)
        except InvalidPhoneNumber:
            return None
        return self.filter(phone_number__in=variants(number)).first()

    def for_identity(self, channel: str, address: str) -> "User | None":
        """Return the person a channel means by address: by phone number, else by identity. One query."""
        known = self.filter(identities__channel=channel, identities__address__in=spellings(address))
        if not is_e164(address):
            return known.first()
        numbered = self.filter(phone_number__in=spellings(address))
        # A union, because an OR over both tables would read every person.
        both = known.annotate(rank=Value(1)).union(numbered.annotate(rank=Value(0)), all=True)
        return both.order_by("rank")[:1].first()

    def holder_of(self, channel: str, address: str) -> "User | None":
        """Return who has an address, so that nobody else can be given it; a number is the same on every channel."""
        if not is_e164(address):
            return self.for_identity(channel, address)
        texts = spellings(address)
        numbered = self.filter(phone_number__in=texts).first()
        return numbered or self.filter(identities__address__in=texts).first()

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete these people.

        Raises:
            LastOwner: no owner would be left; nobody is deleted.
        """
        with transaction.atomic(using=self.db):
            leaving = list(self.values_list("pk", flat=True))
            keep_an_owner(leaving)
            end_invites_of(leaving)
            return super().delete()

    # As Django's own: for chosen rows, not for the whole table by a slip of the pen.
    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def for_identities(self, pairs: Iterable[Pair]) -> "dict[Pair, User]":
        """Return the person of each (channel, address) that has one, as for_identity() does. At most two queries."""
        wanted = list(dict.fromkeys(pairs))
        if not wanted:
            return {}
        known = self._by_number({pair for pair in wanted if is_e164(pair[1])})
        others = [pair for pair in wanted if pair not in known]
        return {**known, **(self._by_identity(others) if others else {})}

    def _by_number(self, pairs: set[Pair]) -> "dict[Pair, User]":
        numbers = {number for _, address in pairs for number in variants(address)}
        if not numbers:
            return {}
        # (One parameter, however many they are: config/db/sql.py.)
        listed = RawSQL(texts_source(), [texts_value(sorted(numbers))])  # noqa: S611 (only a placeholder)
        people = {user.phone_number: user for user in self.filter(phone_number__in=listed)}
        found = {pair: next((people[one] for one in spellings(pair[1]) if one in people), None) for pair in pairs}
        return {pair: user for pair, user in found.items() if user is not None}

    def _by_identity(self, pairs: list[Pair]) -> "dict[Pair, User]":
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


_UserManager = models.Manager.from_queryset(UserQuerySet)


class UserManager(_UserManager["User"], BaseUserManager["User"]):
    """Creates people, changes what they may do, and links the addresses channels know them by."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the person who signs in with this number, in any spelling.

        Raises:
            User.DoesNotExist: nobody has it.
        """
        user = self.find_by_phone_number(username or "")
        if user is None:
            raise self.model.DoesNotExist
        return user

    async def aget_by_natural_key(self, username: str | None) -> "User":
        """Do what get_by_natural_key() does."""
        return await sync_to_async(self.get_by_natural_key)(username)

    def create_user(self, phone_number: str | None, password: str | None = None, **fields: Any) -> "User":
        """Create a person; without a password they can only chat. No number: someone known by identities alone.

        Raises:
            InvalidPhoneNumber: the number cannot be read.
            DuplicatePhoneNumber: somebody has it already.
            AddressTaken: a channel knows somebody else by it.
            ValueError: there is no such role.
        """
        number = None if phone_number is None else read_number(phone_number)
        flags = role_flags(fields.get("role", Role.USER))
        user: User = self.model(phone_number=number, **{**asdict(flags), **fields})
        user.set_password(password)
        taken = f"Somebody has the phone number {mask(number or '')} already."
        try:
            # Asking first would still race: the unique index decides, of those spellings that it knows.
            with transaction.atomic(using=self._db):
                if number is not None:
                    self.refuse_identity_of_others(number)
                    if self.filter(phone_number__in=variants(number)[1:]).exists():
                        raise DuplicatePhoneNumber(taken)
                user.save(force_insert=True, using=self._db)
        except IntegrityError:
            if number is not None and self.filter(phone_number__in=variants(number)).exists():
                raise DuplicatePhoneNumber(taken) from None
            raise
        return user

    def create_superuser(self, phone_number: str, password: str | None = None, **fields: Any) -> "User":
        """Create an owner, who may do everything. Errors are those of create_user()."""
        return self.create_user(phone_number, password, **{**fields, "role": Role.OWNER})

    def update_role(self, user: "User", role: str) -> "User":
        """Give the person a role and the flags that follow from it.

        Raises:
            LastOwner: no owner would be left.
            ValueError: there is no such role.
        """
        role_flags(role)
        with transaction.atomic(using=self._db):
            if role != Role.OWNER:
                keep_an_owner([user.pk])
            user.set_role(role)
            user.save(using=self._db, update_fields=["role", "is_staff", "is_superuser", "password", "updated_at"])
        return user

    def update_whitelist(self, user: "User", allowed: bool) -> "User":
        """Allow the person to talk to the bots, or stop them."""
        user.is_whitelisted = allowed
        user.save(using=self._db, update_fields=["is_whitelisted", "updated_at"])
        return user

    def link_identity(self, user: "User", channel: str, address: str) -> "Identity":
        """Record that channel means this person by address; doing it again changes nothing.

        Raises:
            AddressTaken: the address, or the phone number it is, belongs to somebody else.
        """
        with transaction.atomic(using=self._db):
            if is_e164(address):
                lock_numbers(alone=True, using=self._db)
            owner = self.exclude(pk=user.pk).holder_of(channel, address)
            if owner is None:
                identity, _ = self._identities().get_or_create(
                    channel=channel, address=address, defaults={"user": user}
                )
                owner = identity.user
        if owner != user:
            raise AddressTaken(f"This {channel} address belongs to somebody else already.")
        return identity

    def refuse_identity_of_others(self, number: str, person: "User | None" = None) -> None:
        """Refuse a phone number by which a channel knows somebody else. Part of the transaction that writes it.

        Raises:
            AddressTaken: one does.
        """
        lock_numbers(alone=False, using=self._db)
        others = self._identities().filter(address__in=variants(number))
        if others.exclude(user=person).exists() if person else others.exists():
            raise AddressTaken(f"{mask(number)} is an address of somebody else already.")

    def _identities(self) -> "models.Manager[Identity]":
        from users.models import Identity

        return Identity.objects

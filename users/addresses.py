"""People by the addresses channels know them by: let a new address in, and follow one that changes."""

from collections.abc import Sequence
from enum import Enum

from django.db import IntegrityError, transaction
from django.utils import timezone

from users.managers import AddressTaken, DuplicatePhoneNumber, read_number, spellings
from users.models import Identity, User
from users.phone import InvalidPhoneNumber, is_e164

LONGEST_NAME = 200

# (what named the person, what names them now); one side is empty where the provider does not say it.
Move = tuple[str, str]


class Moved(Enum):
    """What became of a change of addresses."""

    MOVED = "moved"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"


def create_person(channel: str, address: str, name: str = "") -> User:
    """Create a whitelisted person who is known by an address: by the phone number that it is, else by identity.

    Raises:
        DuplicatePhoneNumber, AddressTaken: somebody has it (by now).
    """
    with transaction.atomic():
        person = User.objects.create_user(as_number(address), name=name[:LONGEST_NAME], is_whitelisted=True)
        know_by(person, channel, address)
    return person


def know_by(person: User, channel: str, address: str) -> None:
    """See to it that channel means this person by address.

    Raises:
        AddressTaken: it belongs to somebody else.
    """
    if User.objects.for_identity(channel, address) != person:
        User.objects.link_identity(person, channel, address)


def as_number(address: str) -> str | None:
    """Return the phone number that an address is, or None."""
    if not is_e164(address):
        return None
    try:
        return read_number(address)
    except InvalidPhoneNumber:
        return None


def move_addresses(channel: str, moves: Sequence[Move]) -> tuple[Moved, User | None]:
    """Let a person's old addresses mean nobody, and the new ones that person; all of them or none.

    The person's phone number is one of their addresses. Old ones are taken away in every spelling, because a carrier
    gives a number to somebody else. CONFLICT: the old ones belong to several people, or a new one to somebody else;
    nothing has changed then. Returns the person as well, where there is one.
    """
    try:
        with transaction.atomic():
            return _move(channel, moves)
    except (AddressTaken, DuplicatePhoneNumber):
        return Moved.CONFLICT, None


def _move(channel: str, moves: Sequence[Move]) -> tuple[Moved, User | None]:
    former = {old for old, _ in moves if old}
    current = {new for _, new in moves if new}
    owners = set(User.objects.for_identities((channel, address) for address in sorted(former)).values())
    if not owners:
        return Moved.UNKNOWN, None
    if len(owners) > 1:
        return Moved.CONFLICT, None
    (owner,) = owners
    person = User.objects.select_for_update().filter(pk=owner.pk).first()
    if person is None:  # erased just now
        return Moved.UNKNOWN, None
    gone = [text for address in sorted(former - current) for text in spellings(address)]
    Identity.objects.filter(user=person, channel=channel, address__in=gone).delete()
    for old, new in moves:
        if old in former - current and new:
            _move_number(person, old, new)
    for address in sorted(current):
        know_by(person, channel, address)
    return Moved.MOVED, person


def _move_number(person: User, old: str, new: str) -> None:
    """Write the new phone number of a person whose number was the old one."""
    number = as_number(new)
    if number is None or not is_e164(old):
        return
    try:
        with transaction.atomic():
            User.objects.filter(pk=person.pk, phone_number__in=spellings(old)).update(
                phone_number=number, updated_at=timezone.now()
            )
    except IntegrityError:
        raise DuplicatePhoneNumber("Somebody has the new phone number already.") from None

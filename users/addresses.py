"""People by the addresses channels know them by: let a new address in."""

from django.db import transaction

from users.models import User
from users.phone import InvalidPhoneNumber, is_e164, read_number

LONGEST_NAME = 200


def create_person(channel: str, address: str, name: str = "") -> User:
    """Create a whitelisted person who is known by an address: by the phone number that it is, else by identity.

    Raises:
        DuplicatePhoneNumber, AddressTaken: somebody has it (by now).
    """
    with transaction.atomic():
        person = User.objects.create_user(as_number(address), name=name[:LONGEST_NAME], is_whitelisted=True)
        know_by(person, channel, address)
    return person


def know_by(person: User, channel: str, address: str) -> bool:
    """See to it that channel means this person by address, and return whether it did not before.

    Raises:
        AddressTaken: it belongs to somebody else.
    """
    if User.objects.for_identity(channel, address) == person:
        return False
    User.objects.link_identity(person, channel, address)
    return True


def as_number(address: str) -> str | None:
    """Return the phone number that an address is, or None."""
    if not is_e164(address):
        return None
    try:
        return read_number(address)
    except InvalidPhoneNumber:
        return None

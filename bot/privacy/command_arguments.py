"""Arguments of management commands that name a person: PHONE, channel:address, or --id."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from bot.privacy.subjects import Subject, channels_in_use, subject_of, subject_of_address, subject_of_number
from users.models import User
from users.phone import InvalidPhoneNumber

WHO = "A number in any spelling, or channel:address (whatsapp:DE.1234)"

NOTHING_HELD = "Nothing is held about this number or address: no person has it, and nobody wrote from it."


def add_whom(parser: ArgumentParser) -> None:
    """Declare the arguments that name the subject of a command."""
    parser.add_argument("phone", metavar="PHONE", nargs="?", help=WHO)
    parser.add_argument("--id", type=int, metavar="ID", help="The person by their number in the admin's list")


def find_whom(options: dict[str, Any]) -> Subject:
    """Return the subject that these arguments name: a person, or an unknown sender's address.

    Raises:
        CommandError: they cannot be read, or name nobody; the message tells what is expected.
    """
    named, id = options["phone"], options["id"]
    if (named is None) == (id is None):
        raise CommandError("Say whom: PHONE, or --id ID.")
    if id is not None:
        person = User.objects.filter(pk=id).first()
        if person is None:
            raise CommandError(f"There is no person {id}.")
        return subject_of(person)
    channel, colon, address = named.strip().partition(":")
    if colon and channel in channels_in_use():
        return subject_of_address(channel, address)
    try:
        return subject_of_number(named)
    except InvalidPhoneNumber as error:
        channels = ", ".join(channels_in_use())
        raise CommandError(f"{error} Who has no number is named by channel:address; channels: {channels}.") from None

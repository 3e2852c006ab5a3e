"""Write down everything that is held about somebody: `manage.py export PHONE`."""

import os
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError

from bot.channels.registry import CHANNELS
from bot.privacy.export import is_anything_held, json_pieces, read, text_pieces
from bot.privacy.subjects import Subject, subject_of, subject_of_address, subject_of_number
from users.models import AuditEntry, User
from users.phone import InvalidPhoneNumber

FORMATS: dict[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {"json": json_pieces, "text": text_pieces}
OWNER_ONLY = 0o600


class Command(BaseCommand):
    """Export what is held about a person, or about somebody who only wrote from an address."""

    help = "Writes everything that is held about somebody, to the terminal or into a file that only you may read."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "phone", metavar="PHONE", nargs="?", help="A number in any spelling, or channel:address (whatsapp:DE.1234)"
        )
        parser.add_argument("--id", type=int, metavar="ID", help="The person by their number in the admin's list")
        parser.add_argument("--format", choices=FORMATS, default="json", help="default: json")
        parser.add_argument("--output", type=Path, metavar="FILE", help="default: the terminal")
        parser.add_argument("--force", action="store_true", help="Write over a FILE that is there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the export, row by row, however many there are.

        Raises:
            CommandError: nothing is held, nobody can be meant by that, or the file cannot be written.
        """
        subject = find(options["phone"], options["id"])
        if not is_anything_held(subject):
            raise CommandError(
                "Nothing is held about this number or address: no person has it, and nobody wrote from it."
            )
        pieces = FORMATS[options["format"]](read(subject))
        if options["output"] is None:
            for piece in pieces:
                self.stdout.write(piece, ending="")
        else:
            with private_file(options["output"], options["force"]) as file:
                file.writelines(pieces)
        pk = subject.person.pk if subject.person else None
        AuditEntry.objects.create(action=AuditEntry.Action.EXPORTED, subject=pk, via="command")


def find(named: str | None, id: int | None) -> Subject:
    """Return whom a number, a channel:address or an id means.

    Raises:
        CommandError: it can't be read, or it is the id of nobody.
    """
    if (named is None) == (id is None):
        raise CommandError("Say whom: PHONE, or --id ID.")
    if id is not None:
        person = User.objects.filter(pk=id).first()
        if person is None:
            raise CommandError(f"There is no person {id}.")
        return subject_of(person)
    channel, colon, address = (named or "").partition(":")
    if colon and channel in CHANNELS:
        return subject_of_address(channel, address)
    try:
        return subject_of_number(named or "")
    except InvalidPhoneNumber as error:
        channels = ", ".join(sorted(CHANNELS))
        raise CommandError(f"{error} Who has no number is named by channel:address; channels: {channels}.") from None


@contextmanager
def private_file(path: Path, force: bool) -> Iterator[TextIO]:
    """Open a file to write that only its owner may read; when that fails half-way, nothing is left of it.

    Raises:
        CommandError: it is there already (without force), or it cannot be written.
    """
    try:
        # (A link is not followed: who made it would choose what is written over.)
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_TRUNC if force else os.O_EXCL)
        descriptor = os.open(path, flags, OWNER_ONLY)
    except FileExistsError:
        raise CommandError(f"{path} is there already; --force writes over it.") from None
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, OWNER_ONLY)
        try:
            yield file
        except BaseException:
            path.unlink()
            raise

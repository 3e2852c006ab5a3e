"""Write down everything that is held about somebody: `manage.py export PHONE`."""

import os
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError

from bot.privacy.command_arguments import NOTHING_HELD, add_whom, find_whom
from bot.privacy.export.document import is_anything_held, json_pieces, read, text_pieces
from users.models import AuditEntry

FORMATS: dict[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {"json": json_pieces, "text": text_pieces}
OWNER_ONLY = 0o600


class Command(BaseCommand):
    """Export what is held about a person, or about somebody who only wrote from an address."""

    help = "Writes everything that is held about somebody, to the terminal or into a file that only you may read."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        add_whom(parser)
        parser.add_argument("--format", choices=FORMATS, default="json", help="default: json")
        parser.add_argument("--output", type=Path, metavar="FILE", help="default: the terminal")
        parser.add_argument("--force", action="store_true", help="Write over a FILE that is there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the export, row by row, however many there are.

        Raises:
            CommandError: nothing is held, nobody can be meant by that, or the file cannot be written.
        """
        subject = find_whom(options)
        if not is_anything_held(subject):
            raise CommandError(NOTHING_HELD)
        pieces = FORMATS[options["format"]](read(subject))
        if options["output"] is None:
            for piece in pieces:
                self.stdout.write(piece, ending="")
        else:
            with private_file(options["output"], options["force"]) as file:
                file.writelines(pieces)
        pk = subject.person.pk if subject.person else None
        AuditEntry.objects.create(action=AuditEntry.Action.EXPORTED, subject=pk, via="command")


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

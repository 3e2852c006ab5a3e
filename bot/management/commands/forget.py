"""Erase everything that is held about somebody: `manage.py forget PHONE`."""

from argparse import ArgumentParser
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bot.privacy.command_arguments import NOTHING_HELD, add_whom, find_whom
from bot.privacy.erasure.erase import erase
from bot.privacy.subjects import Subject
from bot.privacy.summary import summary_of
from users.errors import LastOwner


class Command(BaseCommand):
    """Say what is held about somebody, and erase it when that is confirmed."""

    help = "Erases everything that is held about somebody. What their messages have cost stays, as nobody's."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        add_whom(parser)
        parser.add_argument("--yes", action="store_true", help="Do not ask.")
        parser.add_argument("--dry-run", action="store_true", help="Say what is held, and erase nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Show, ask, erase.

        Raises:
            CommandError: nobody is named so, nothing is held about them, or no owner would be left.
        """
        subject = find_whom(options)
        if subject.person is None:  # all that was written from the address, also by who gave it up
            subject = replace(subject, whoever=True)
        held = summary_of(subject)
        if not held:
            raise CommandError(NOTHING_HELD)
        lines = [f"  {name}: {count:,}" for name, count in held.items()]
        self.stdout.write("\n".join([f"Held about {_shown(subject)}:", *lines]))
        if options["dry_run"]:
            return
        if not options["yes"] and not self._confirmed():
            raise CommandError("Nothing was erased. Answer yes, or give --yes.")
        try:
            erased = erase(subject, via="command")
        except LastOwner as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(
            f"Erased: {erased.total:,} rows are gone or emptied. This command line may stand in a history."
        )

    def _confirmed(self) -> bool:
        self.stdout.write("This cannot be undone. Erase it? Type yes: ", ending="")
        self.stdout.flush()
        try:
            return input().strip().lower() == "yes"
        except EOFError:
            return False


def _shown(subject: Subject) -> str:
    return f"person #{subject.person.pk}, {subject.person}" if subject.person else "somebody who is no known person"

"""Delete everything whose time is over: `manage.py cleanup`."""

from argparse import ArgumentParser
from contextlib import AbstractContextManager
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bot.operations.purge import PurgeFailed, purge_expired
from bot.privacy.retention.entry import Counts
from config.db.batches import Progress, progress_line


class Command(BaseCommand):
    """The daily purge, by hand."""

    help = "Delete everything whose time is over, as the scheduler does every day. docs/privacy.md says what that is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--dry-run", action="store_true", help="Say what would go, and delete nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Purge and say what went."""
        dry_run: bool = options["dry_run"]
        verb = "Would delete" if dry_run else "Deleted"
        try:
            self._say(verb, purge_expired(dry_run=dry_run, watch=self._watch))
        except PurgeFailed as error:
            self._say(verb, error.counts)
            raise CommandError(f"Failed: {', '.join(map(words, error.failed))}. The log says why.") from None

    def _watch(self, name: str) -> AbstractContextManager[Progress | None]:
        return progress_line(self.stdout, f"Deleting {words(name)}")

    def _say(self, verb: str, counts: Counts) -> None:
        went = {words(name): count for name, count in counts.items() if count}
        if not went:
            self.stdout.write(f"{verb} nothing: no time is over.")
            return
        self.stdout.write(f"{verb}:")
        for name, count in went.items():
            self.stdout.write(f"  {name:<22}{count:>12,}")


def words(name: str) -> str:
    """Return a count's name as it is read."""
    return name.replace("_", " ")

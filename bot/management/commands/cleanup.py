"""Delete everything whose time is over: `manage.py cleanup`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from bot.retention import purge_expired
from config.batches import progress_line


class Command(BaseCommand):
    """The daily purge, by hand."""

    help = "Deletes expired conversations, old usage records and old rows of the inbox and outbox."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--dry-run", action="store_true", help="Say what would go, and delete nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Purge and say what went."""
        with progress_line(self.stdout, "Deleting") as progress:
            removed = purge_expired(dry_run=options["dry_run"], progress=progress)
        verb = "Would delete" if options["dry_run"] else "Deleted"
        counts = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in removed.as_counts().items())
        self.stdout.write(f"{verb}: {counts}.")

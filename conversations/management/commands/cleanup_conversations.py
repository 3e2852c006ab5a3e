"""manage.py cleanup_conversations: delete expired conversations."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from config.db.batches import progress_line
from conversations.retention import cleanup_expired_conversations


class Command(BaseCommand):
    """Deletes conversations after their time."""

    help = "Delete conversations that expired (CONVERSATION_TTL_DAYS after their last message), with their messages."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Count what would be deleted and delete nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        with progress_line(self.stdout, "Deleting messages") as progress:
            cleaned = cleanup_expired_conversations(dry_run=dry_run, progress=progress)
        verb = "Would delete" if dry_run else "Deleted"
        self.stdout.write(f"{verb} {cleaned}.")

"""manage.py cleanup_usage: delete old usage records."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.db.batches import progress_line
from usage.retention import cleanup_old_spends, cleanup_old_usage_metrics


class Command(BaseCommand):
    """Deletes usage records, and what their days have cost, after the time they are kept."""

    help = "Delete usage records older than a number of days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days",
            type=int,
            default=settings.USAGE_RETENTION_DAYS,
            help="Keep this many days (default: USAGE_RETENTION_DAYS, %(default)s).",
        )
        parser.add_argument("--dry-run", action="store_true", help="Count what would be deleted and delete nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        try:
            with progress_line(self.stdout, "Deleting usage records") as progress:
                cleanup_old_spends(options["days"], dry_run=dry_run)
                cleaned = cleanup_old_usage_metrics(options["days"], dry_run=dry_run, progress=progress)
        except ValueError as error:
            raise CommandError(f"--{error}") from None
        verb = "Would delete" if dry_run else "Deleted"
        self.stdout.write(f"{verb} {cleaned:,} usage records older than {options['days']} days.")

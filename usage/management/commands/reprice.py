"""manage.py reprice: price the usage records whose price was not known."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.db.batches import progress_line
from config.desk.money import exact
from usage.management.arguments import person
from usage.repricing import Repriced, reprice


class Command(BaseCommand):
    """Prices what has no cost by the prices of its day. What has a cost keeps it."""

    help = "Price the usage records without a cost, by the prices of their day, and correct the days' spending."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--days", type=int, help="Only records of the last so many days (default: all).")
        parser.add_argument("--model", default="", metavar="NAME", help="Only calls that asked it or it answered.")
        parser.add_argument("--user", metavar="NUMBER", help="Only records of this person.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be priced, and change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Price and say what came of it."""
        dry_run: bool = options["dry_run"]
        chosen = {"days": options["days"], "model": options["model"], "user": person(options["user"])}
        try:
            with progress_line(self.stdout, "Pricing usage records") as progress:
                repriced = reprice(**chosen, dry_run=dry_run, progress=progress)
        except ValueError as error:
            raise CommandError(f"--{error}") from None
        self._say(repriced, "Would price" if dry_run else "Priced")

    def _say(self, repriced: Repriced, verb: str) -> None:
        cost = exact(repriced.cost_micros)
        self.stdout.write(f"{verb} {repriced.records:,} usage records that had no cost: {cost}.")
        for model, sums in sorted(repriced.priced.items(), key=lambda item: -item[1].cost_micros):
            self.stdout.write(f"  {model}: {sums.records:,} records, {exact(sums.cost_micros)}")
        if not repriced.unknown:
            return
        self.stdout.write("Still without a price:")
        for model, sums in sorted(repriced.unknown.items()):
            self.stdout.write(f"  {model}: {sums.records:,} records, the first of {sums.first_day}")
        self.stdout.write(
            "Add their prices under Model prices in the admin, valid from the day of the first record or earlier, "
            "and run this again."
        )

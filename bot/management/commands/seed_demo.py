"""Fill an installation with believable data: `manage.py seed_demo`."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from bot.dev.demo.clear import clear_demo
from bot.dev.demo.marks import already_there, other_people
from bot.dev.demo.seed import MOST_PEOPLE, MOST_PERSON_DAYS, seed_demo
from users.errors import LastOwner


class Command(BaseCommand):
    """Write or remove people, bots, messages and costs that are made up."""

    help = (
        "Writes made-up people, bots, conversations, messages and costs, to look at the admin, the simulator and "
        "reports with. Nothing can be sent to anybody: numbers are kept free for fiction, and the bots have no "
        "provider."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--days", type=int, default=30, help="How many days of use (30).")
        parser.add_argument("--people", type=int, default=40, help=f"How many people (40; at most {MOST_PEOPLE:,}).")
        parser.add_argument("--seed", type=int, default=1, help="Another number makes other people (1).")
        parser.add_argument("--clear", action="store_true", help="Remove what this command has made, and only that.")
        parser.add_argument("--yes", action="store_true", help="Also where there are other people already.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed, or clear.

        Raises:
            CommandError: it is production, other people are there, or a number is out of range.
        """
        if options["clear"]:
            self._clear()
            return
        self._check(options)
        if there := already_there():
            self._say("Demo data is here already, nothing was added (--clear removes it):", there)
            return
        made = seed_demo(days=options["days"], people=options["people"], seed=options["seed"])
        self._say(f"Made, of the last {options['days']} days:", made)

    def _check(self, options: Mapping[str, Any]) -> None:
        if settings.ENVIRONMENT == "production":
            raise CommandError("ENVIRONMENT is production: no made-up people are written among real ones.")
        if not 1 <= options["days"] <= settings.USAGE_RETENTION_DAYS:
            raise CommandError(
                f"--days must be 1 to {settings.USAGE_RETENTION_DAYS} (USAGE_RETENTION_DAYS): "
                "the purge takes older usage."
            )
        if not 1 <= options["people"] <= MOST_PEOPLE:
            raise CommandError(f"--people must be 1 to {MOST_PEOPLE:,}.")
        if options["days"] * options["people"] > MOST_PERSON_DAYS:
            raise CommandError(f"--days times --people must be 1 to {MOST_PERSON_DAYS:,}.")
        if (others := other_people()) and not options["yes"]:
            raise CommandError(
                f"There are people here already ({others:,}), and their figures would be mixed with made-up ones. "
                "Use a database of its own, or give --yes."
            )

    def _clear(self) -> None:
        try:
            gone = clear_demo()
        except LastOwner as refusal:
            raise CommandError(f"Nothing was removed. {refusal}") from None
        if not gone:
            self.stdout.write("There is no demo data.")
            return
        self._say("Removed:", gone)

    def _say(self, title: str, counts: Mapping[str, int]) -> None:
        self.stdout.write(title)
        for kind, count in counts.items():
            self.stdout.write(f"  {kind:<22}{count:>10,}")

"""manage.py usage_report: what was used and what it cost, as tables or as CSV."""

import os
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from bot.models import Bot
from usage.management.arguments import person
from usage.models import DailySpend, UsageDay
from usage.reporting.csv_file import write_details
from usage.reporting.lines import details
from usage.reporting.question import Question, last_days
from usage.reporting.text import tables

STDOUT = "-"


class Command(BaseCommand):
    """Shows usage by day, bot, model, person and kind. Days are those of settings.TIME_ZONE."""

    help = "Show what was used and what it cost: by day, bot, model, person and kind; or everything as CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--days", type=int, default=30, help="The last so many days, today included (default: 30).")
        parser.add_argument("--user", metavar="NUMBER", help="Only this person's usage.")
        parser.add_argument("--bot", metavar="SLUG", default="", help="Only usage with this bot.")
        parser.add_argument(
            "--csv",
            nargs="?",
            const=STDOUT,
            metavar="FILE",
            help="A row for each day, person, bot, kind and model, amounts in micro-dollars; to FILE or to the output.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Show or write the report."""
        chosen, bot = person(options["user"]), known_bot(options["bot"])
        try:
            question = last_days(options["days"], person=chosen.pk if chosen else None, bot=bot)
        except ValueError as error:
            raise CommandError(f"--{error}") from None
        if options["csv"] is None:
            self._show(question)
        elif options["csv"] == STDOUT:
            write_details(details(question), self.stdout)
        else:
            self._write(Path(options["csv"]), question)

    def _show(self, question: Question) -> None:
        period = f"the last {question.days} days ({settings.TIME_ZONE}), today included"
        self.stdout.write(f"Usage of {period}. Cached is part of input.")
        for line in list(tables(question)) or ["Nothing was used."]:
            self.stdout.write(line)

    def _write(self, path: Path, question: Question) -> None:
        """Write the file beside its place first, so that a report that fails leaves an older one as it was."""
        try:
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", dir=path.parent, delete=False) as file:
                try:
                    written = write_details(details(question), file)
                    file.close()
                    os.replace(file.name, path)
                except BaseException:
                    os.unlink(file.name)
                    raise
        except OSError as error:
            raise CommandError(f"--csv: {path} cannot be written: {error.strerror}.") from None
        self.stdout.write(f"Wrote {written:,} rows to {path}.")


def known_bot(slug: str) -> str:
    """Return the slug of a bot that there is, or was; "" for "".

    Raises:
        CommandError: nobody ever used a bot of that name.
    """
    if not slug or Bot.objects.filter(slug=slug).exists():
        return slug
    if DailySpend.objects.filter(bot=slug).exists() or UsageDay.objects.filter(bot=slug).exists():
        return slug
    slugs = ", ".join(Bot.objects.values_list("slug", flat=True)) or "none yet"
    raise CommandError(f"--bot: no bot is called {slug!r}. There are: {slugs}.")

"""Test a bot's connection: `manage.py test_bot SLUG`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bot.models import Bot
from bot.operations.connection_test import try_connection


class Command(BaseCommand):
    """Print whom the provider takes a bot for and that its model answers, or what is wrong. Nobody is written to."""

    help = (
        "Asks a bot's provider who the bot is and its model for one word, and says what keeps it from working "
        "(exit code 1). Sends nothing to anybody."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("slug", metavar="SLUG", help="The bot.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Test one bot.

        Raises:
            CommandError: there is no such bot, or it does not work as it is.
        """
        bot = Bot.objects.filter(slug=options["slug"]).first()
        if bot is None:
            slugs = ", ".join(Bot.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"No bot is called {options['slug']!r}. There are: {slugs}.")
        outcome = try_connection(bot)
        for said in (*outcome.successes, *outcome.hints):
            self.stdout.write(said)
        if outcome.problems:
            raise CommandError("\n".join(problem.sentence for problem in outcome.problems))

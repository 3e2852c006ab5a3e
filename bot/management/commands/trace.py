"""Tell what became of a message: `manage.py trace ID`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bot.history.trace import Step, Trace, find, find_by_number, trace
from config.logs.lines import one_line


class Command(BaseCommand):
    """Print the steps of a message with their times; neither its text nor its person's number."""

    help = (
        "Tells what happened to a message, step by step: by its id at the provider, by that of its reply, or by a "
        "number of the admin."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "external_id",
            metavar="ID",
            help="What the provider calls it (wamid.…, SM…), or the admin: a message's number, a turn's, a part's.",
        )
        parser.add_argument("--bot", default="", metavar="SLUG", help="Only messages to this bot.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print every message that is called so.

        Raises:
            CommandError: there is none.
        """
        asked, bot = options["external_id"].strip(), options["bot"]
        found = [("", message) for message in find(asked, bot)] or find_by_number(asked, bot)
        if not found:
            raise CommandError(
                "No message is known by this id, nor any reply. Write it as the provider does, in its full length, "
                "or as the admin shows it. "
                "Rows are kept for 8 days; a stranger's further messages of a day leave none."
            )
        for meaning, message in found:
            if meaning:
                self.stdout.write(f"{asked} is {meaning}.")
            self._show(trace(message))

    def _show(self, traced: Trace) -> None:
        message = traced.message
        turn = f", turn {traced.turn_key}" if traced.turn_key is not None else ""
        self.stdout.write(f"Message {message.pk} to bot {message.bot.slug} ({message.bot.channel}){turn}")
        before: Step | None = None
        for step in traced.steps:
            self.stdout.write(_line(step, before))
            before = step
        self.stdout.write(f"Now: {traced.now}")


def _line(step: Step, before: Step | None) -> str:
    at = timezone.localtime(step.at)
    passed = f"+{(step.at - before.at).total_seconds():.3f} s" if before else ""
    facts = " ".join(f"{name}={one_line(str(value))}" for name, value in step.facts.items())
    return f"  {at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1_000:03} {passed:>12}  {step.what:<20} {facts}".rstrip()

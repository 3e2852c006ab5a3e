"""Work on dead letters again: `manage.py replay`."""

from argparse import ArgumentParser
from datetime import timedelta
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bot.models import Bot, InboundMessage
from bot.operations.replaying import plan_of
from bot.queue.recovery import replay

# More that cannot be helped are told as a number of others.
MOST_TOLD = 20


class Command(BaseCommand):
    """Replay the dead letters that are named, or all that match. Doing it twice is doing it once."""

    help = "Lets dead letters be worked on again: a reply that could not be sent is sent, else a new one is made."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="Numbers of inbound messages.")
        parser.add_argument("--all", action="store_true", help="Every dead letter (that matches the options below).")
        parser.add_argument("--bot", metavar="SLUG", help="Only messages to this bot.")
        parser.add_argument("--code", help="Only messages whose reason begins so: CHANNEL_ERROR, INTERNAL_ERROR ...")
        parser.add_argument("--hours", type=float, help="Only messages received in the last so many hours.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be replayed, and do nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what is done and what it may cost, replay what that can help, and say how many."""
        if bool(options["ids"]) == options["all"]:
            raise CommandError("Name the messages (manage.py replay 12 13), or say --all; not both.")
        ids = list(self._chosen(options).values_list("id", flat=True))
        if missing := sorted(set(options["ids"]) - set(ids)):
            self.stderr.write(f"Not dead letters (that match): {', '.join(map(str, missing))}")
        plan = plan_of(ids)
        for line in plan.lines:
            self.stdout.write(line)
        if plan.hopeless:
            told = "; ".join(f"{pk}: {why}" for pk, why in islice(plan.hopeless.items(), MOST_TOLD))
            more = f"; and {len(plan.hopeless) - MOST_TOLD} more" if len(plan.hopeless) > MOST_TOLD else ""
            self.stderr.write(f"Left as they are, because a replay cannot help ({told}{more}).")
        if options["dry_run"]:
            self.stdout.write(f"{len(plan.able)} messages would be worked on again.")
            return
        self.stdout.write(f"{replay(plan.able)} messages are worked on again.")

    def _chosen(self, options: dict[str, Any]) -> Any:
        chosen = InboundMessage.objects.filter(state=InboundMessage.State.DEAD).order_by("id")
        if options["ids"]:
            chosen = chosen.filter(id__in=options["ids"])
        if options["bot"]:
            if not Bot.objects.filter(slug=options["bot"]).exists():
                slugs = ", ".join(Bot.objects.values_list("slug", flat=True)) or "none yet"
                raise CommandError(f"No bot is called {options['bot']!r}. There are: {slugs}.")
            chosen = chosen.filter(bot__slug=options["bot"])
        if options["code"]:
            chosen = chosen.filter(error_code__startswith=options["code"])
        if options["hours"] is not None:
            chosen = chosen.filter(received_at__gte=timezone.now() - timedelta(hours=options["hours"]))
        return chosen

"""Find somebody's lines in the log: `manage.py log_id +4917012345678`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from bot.models import Bot
from bot.queue.log_ids import chat_hash
from users.models import Identity, User
from users.phone import InvalidPhoneNumber, read_number, spellings


class Command(BaseCommand):
    """Say which hash stands for a person's chats in the log."""

    help = "Prints what the log's lines carry as `chat` (and `person`) for a phone number or another address."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("address", help="A phone number in any spelling, or a channel's other name of a person.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each bot and each way the person may be named."""
        try:
            address = read_number(options["address"])
        except InvalidPhoneNumber:
            address = options["address"]
        for bot in Bot.objects.order_by("slug"):
            person = User.objects.for_identity(bot.channel, address)
            for named in addresses_of(person, address, bot.channel):
                who = f"  person={person.pk}" if person else ""
                self.stdout.write(f"bot={bot.slug}  chat={chat_hash(bot.slug, named)}{who}")


def addresses_of(person: User | None, address: str, channel: str) -> list[str]:
    """Return every way the person may be named on a channel, the given one first."""
    known = [address, *spellings(address)]
    if person is not None:
        number = person.phone_number
        known += spellings(number) if number else ()
        known += Identity.objects.filter(user=person, channel=channel).values_list("address", flat=True)
    return list(dict.fromkeys(known))

"""Let somebody sign in at once who failed too often: `manage.py unlock_login NUMBER`."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from users.login.throttle import forgive
from users.phone import InvalidPhoneNumber, read_number


class Command(BaseCommand):
    """Forget the failed sign-ins of one phone number."""

    help = "Lets somebody sign in to the admin at once, who has to wait because too many attempts failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the argument."""
        parser.add_argument("number", metavar="NUMBER", help="The phone number they sign in with, in any spelling.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Forget them.

        Raises:
            CommandError: it is no number, or they are counted where no command can reach them.
        """
        try:
            number = read_number(options["number"])
        except InvalidPhoneNumber as error:
            raise CommandError(str(error)) from None
        if not settings.REDIS_URL:
            raise CommandError("Without REDIS_URL each web process counts for itself: restart it, or wait 15 minutes.")
        forgive(number)
        self.stdout.write("Their failed attempts are forgotten; they can sign in now.")

"""Prepare an installation: `manage.py bootstrap`. Safe to run at every start."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from bot.operations.bootstrap import (
    DEMO_BOT,
    DEMO_OWNER_NUMBER,
    DEMO_PERSON_NUMBER,
    ensure_demo,
    ensure_owner,
    find_owner,
)
from bot.operations.schedules import ensure_schedules
from users.errors import AddressTaken
from users.phone import InvalidPhoneNumber


class Command(BaseCommand):
    """Migrate the database, create schedules and an owner; in development also a bot and a person to try it with."""

    help = "Prepares the database, the schedules and the first owner. Running it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--owner", metavar="PHONE", help="make the person with this number an owner")
        parser.add_argument(
            "--demo", action="store_true", help="create the demo bot and person outside development too"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what is missing and say what there is.

        Raises:
            CommandError: the owner's number cannot be read.
        """
        development = settings.ENVIRONMENT == "development"
        call_command("migrate", interactive=False, verbosity=0)
        ensure_schedules()
        self.stdout.write("Database and schedules are up to date.")
        if development or options["demo"]:
            ensure_demo()
            self.stdout.write(f"Demo: bot {DEMO_BOT!r} on the console channel, person {DEMO_PERSON_NUMBER}.")
        if options["owner"]:
            self._make_owner(options["owner"])
        elif (owner := find_owner()) is not None:
            self._say_owner(str(owner.phone_number))
        elif development:
            self._make_owner(DEMO_OWNER_NUMBER)
        self._show_doubts()

    def _show_doubts(self) -> None:
        from bot.operations.checks import check_content

        for message in check_content():
            if not message.is_silenced():
                self.stdout.write(str(message))

    def _make_owner(self, number: str) -> None:
        try:
            result = ensure_owner(number)
        except (InvalidPhoneNumber, AddressTaken) as error:
            raise CommandError(str(error)) from None
        if result.password is None:
            self._say_owner(result.phone_number)
            return
        self.stdout.write(f"Owner: {result.phone_number}, password {result.password} (shown only now).")

    def _say_owner(self, number: str) -> None:
        self.stdout.write(f"Owner: {number}. Forgot the password? manage.py changepassword {number}")

"""Check the environment: `manage.py check_env`. (manage.py itself answers it, before the settings are read.)"""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from config.environment import check_env


class Command(BaseCommand):
    """List every variable, or everything that is wrong with them."""

    requires_system_checks = ()
    help = check_env.HELP

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        check_env.add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Check, and exit with 1 if something is wrong."""
        sys.exit(check_env.check(options["production"]))

#!/usr/bin/env python
"""Parley's command line: `python manage.py help` lists what it can do."""

import os
import sys

from django.core.management import execute_from_command_line

from config.file_modes import keep_new_files_private
from config.terminal import take_every_character

# What a shell says of a program that SIGPIPE has ended.
ENDED_BY_PIPE = 128 + 13
# Commands that keep nothing which depends on the secret key; others begin with a .env file, as `make run` does.
LOOKING = {"help", "--help", "-h", "version", "--version", "check", "diffsettings", "makemessages", "compilemessages"}


def main() -> None:
    """Run the management command named on the command line."""
    keep_new_files_private()
    take_every_character()
    if sys.argv[1:2] == ["check_env"]:
        from config.environment import check_env

        # Before Django's settings, which stop at an environment that is broken as it is.
        sys.exit(check_env.main(sys.argv[2:]))
    if set(sys.argv[1:2]) - LOOKING and not os.environ.get("ENVIRONMENT"):
        from config.environment.dotenv import create_dotenv
        from config.start import BASE, announce

        # (Before the settings: a development server never signs with a key that everybody knows.)
        announce(create_dotenv(BASE / ".env"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads what is printed has seen enough of it (`| head`). Python would flush the rest once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ENDED_BY_PIPE)


if __name__ == "__main__":
    main()

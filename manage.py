#!/usr/bin/env python
"""Parley's command line: `python manage.py help` lists what it can do."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run the management command named on the command line."""
    if sys.argv[1:2] == ["check_env"]:
        from config import check_env

        # Before Django's settings, which stop at an environment that is broken as it is.
        sys.exit(check_env.main(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

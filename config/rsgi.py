"""The application of the web process, for granian's RSGI interface (see Procfile)."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from bot.front.application import Front  # noqa: E402 (needs the apps)

application = Front()

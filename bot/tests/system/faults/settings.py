"""The project's settings with the crash points installed: DJANGO_SETTINGS_MODULE of processes that are to be killed."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "bot.tests.system.faults.apps.Faults"]

"""The app that installs the crash point named in the environment once everything else is loaded."""

import os

from django.apps import AppConfig

from bot.tests.faults import crashing


class Faults(AppConfig):
    """No models, only ready()."""

    name = "bot.tests.faults"
    label = "faults"

    def ready(self) -> None:
        """Install the crash point this process is to die at, if any."""
        if chosen := os.environ.get(crashing.VARIABLE):
            crashing.install(chosen)

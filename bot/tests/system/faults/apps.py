"""The app that installs what the environment asks for (a crash point, a hurry) once everything else is loaded."""

import os

from django.apps import AppConfig

from bot.tests.system.faults import crashing, hurry


class Faults(AppConfig):
    """No models, only ready()."""

    name = "bot.tests.system.faults"
    label = "faults"

    def ready(self) -> None:
        """Install the crash point this process is to die at, and shorten what it is to wait for, if any."""
        hurry.install(os.environ.get(hurry.VARIABLE, ""))
        if chosen := os.environ.get(crashing.VARIABLE):
            crashing.install(chosen)

"""/help: list the commands that a person may use."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bot.pipeline.commands.registry import command, commands_for
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn


@command("help", gettext_lazy("what I can do"), order=1)
async def show_help(turn: Turn, services: Services, argument: str) -> str:
    """Return the list of the commands that the person may use."""
    listed = [entry for entry in commands_for(*turn.judged_by) if entry.listed]
    lines = [f"/{' '.join(filter(None, (entry.name, str(entry.argument))))} – {entry.help}" for entry in listed]
    return "\n".join([_("Write to me and I answer. I also know these commands:"), *lines])

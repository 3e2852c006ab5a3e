"""The stage that answers commands."""

from bot.pipeline.commands import find_command
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn


async def commands(turn: Turn, services: Services) -> None:
    """Answer a turn that is a command (a command is always a turn of its own: see claims)."""
    command = find_command(turn.messages[0].text)
    if command is not None:
        turn.end(await command.handler(turn, services))

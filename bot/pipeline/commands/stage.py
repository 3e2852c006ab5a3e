"""The stage that answers commands."""

from django.utils.translation import gettext as _

from bot.pipeline.commands import find_command, nearest, read_call
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from users.models import User


async def commands(turn: Turn, services: Services) -> None:
    """Answer a turn that is a command (a command is always a turn of its own: see claims)."""
    call = read_call(turn.messages[0].text)
    if call is None:
        return
    command = find_command(call.name, turn.user)
    if command is None:
        turn.end(unknown(call.name, turn.user))
    else:
        turn.end(await command.handler(turn, services, call.argument))


def unknown(name: str, user: User | None) -> str:
    """Say that there is no such command, and which was probably meant."""
    suggestion = nearest(name, user)
    if suggestion:
        return _("I don't know /%(name)s. Did you mean /%(nearest)s? /help lists all I know.") % {
            "name": name,
            "nearest": suggestion,
        }
    return _("I don't know /%(name)s. /help lists all I know.") % {"name": name}

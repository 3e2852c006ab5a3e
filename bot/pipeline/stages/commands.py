"""Command stages: for members, and for strangers the commands that are for everybody."""

from django.utils.translation import gettext as _

from bot.command_call import Call
from bot.errors import ErrorCode
from bot.pipeline.attempt_limit import may_ask
from bot.pipeline.commands import find_command, nearest
from bot.pipeline.commands.registry import Command
from bot.pipeline.result import After
from bot.pipeline.services import Services
from bot.pipeline.stages.window import expired
from bot.pipeline.turn import Turn
from users.models import User


async def commands(turn: Turn, services: Services) -> None:
    """Answer a turn that is a command, which is always a turn of its own (bot/worker/claims.py)."""
    if turn.call is None:
        return
    command = _found(turn.call, turn)
    if command is None:
        turn.end(unknown(turn.call.name, *turn.judged_by))
    else:
        await _answer(turn, services, command, turn.call.argument)


async def open_commands(turn: Turn, services: Services) -> None:
    """Answer a command for everybody from a person who is not let in."""
    if turn.call is None or turn.in_doubt:
        return
    command = _found(turn.call, turn)
    if command is not None and command.for_everybody and not expired(turn):
        await _answer(turn, services, command, turn.call.argument)


def unknown(name: str, *users: User | None) -> str:
    """Return a reply that there is no such command, with the closest name."""
    suggestion = nearest(name, *users)
    if suggestion:
        return _("I don't know /%(name)s. Did you mean /%(nearest)s? /help lists all I know.") % {
            "name": name,
            "nearest": suggestion,
        }
    return _("I don't know /%(name)s. /help lists all I know.") % {"name": name}


def _found(call: Call, turn: Turn) -> Command | None:
    """Return the command of a turn if the person, and in the simulator the visitor, may give it."""
    command = find_command(call.name, *turn.judged_by)
    if command and turn.visitor_id is not None and not command.may_be_given_for(turn.user, turn.visitor):
        return None
    return command


async def _answer(turn: Turn, services: Services, command: Command, argument: str) -> None:
    with_code = command.takes_code and bool(argument)
    if not command.for_everybody or await may_ask(turn, services, command.name, with_code=with_code):
        turn.end(await command.handler(turn, services, argument))
    elif turn.is_of_member:
        said = _("You have asked for this several times just now. Please try again in an hour.")
        turn.end(said, error_code=ErrorCode.RATE_LIMIT_EXCEEDED)
    else:
        # Beyond the limit: no send and no row.
        turn.result.after = After.DELETE_MESSAGES
        turn.end(error_code=ErrorCode.RATE_LIMIT_EXCEEDED)

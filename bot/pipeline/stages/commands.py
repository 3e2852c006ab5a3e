"""The stage that answers commands; and, for the access stage, those that everybody may give."""

from django.utils.translation import gettext as _

from bot.command_call import read_call
from bot.errors import ErrorCode
from bot.pipeline.attempt_limit import may_ask
from bot.pipeline.commands import find_command, nearest
from bot.pipeline.commands.registry import Command
from bot.pipeline.services import Services
from bot.pipeline.stages.window import window
from bot.pipeline.turn import Turn
from users.models import User


async def commands(turn: Turn, services: Services) -> None:
    """Answer a turn that is a command (a command is always a turn of its own: see claims)."""
    call = read_call(turn.messages[0].text)
    if call is None:
        return
    command = _found(call.name, turn)
    if command is None:
        turn.end(unknown(call.name, *turn.judged_by))
    else:
        await _answer(turn, services, command, call.argument)


async def commands_for_everybody(turn: Turn, services: Services) -> None:
    """Answer a turn that is a command for everybody, of somebody who is not let in."""
    call = read_call(turn.messages[0].text)
    command = _found(call.name, turn) if call else None
    if call is None or command is None or not command.for_everybody:
        return
    await window(turn, services)
    if not turn.ended:
        await _answer(turn, services, command, call.argument)


def unknown(name: str, *users: User | None) -> str:
    """Say that there is no such command, and which was probably meant."""
    suggestion = nearest(name, *users)
    if suggestion:
        return _("I don't know /%(name)s. Did you mean /%(nearest)s? /help lists all I know.") % {
            "name": name,
            "nearest": suggestion,
        }
    return _("I don't know /%(name)s. /help lists all I know.") % {"name": name}


def _found(name: str, turn: Turn) -> Command | None:
    """Return the command of a turn, if it may be given: in the simulator by the visitor as well."""
    command = find_command(name, *turn.judged_by)
    if command and turn.visitor_id is not None and not command.may_be_given_for(turn.user, turn.visitor):
        return None
    return command


async def _answer(turn: Turn, services: Services, command: Command, argument: str) -> None:
    with_code = command.takes_code and bool(argument)
    if not command.for_everybody or await may_ask(turn, services, command.name, with_code=with_code):
        turn.end(await command.handler(turn, services, argument))
    elif turn.user and turn.user.is_whitelisted:
        said = _("You have asked for this several times just now. Please try again in an hour.")
        turn.end(said, error_code=ErrorCode.RATE_LIMIT_EXCEEDED)
    else:
        # Neither a send nor a row for whoever goes on.
        turn.forget_messages = True
        turn.end(error_code=ErrorCode.RATE_LIMIT_EXCEEDED)

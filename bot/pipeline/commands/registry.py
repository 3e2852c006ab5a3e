"""Registry of chat commands, from which the help text and the suggestions are made."""

import difflib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from users.models import User
from users.permissions import Permission, may

Handler = Callable[[Turn, Services, str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Command:
    """A chat command.

    handler: takes the turn, the services and the text after the command; returns the reply.
    order: its position in /help.
    argument: its argument as /help shows it ("NUMBER [NAME]").
    permission: who may use it; None: everybody. For others it does not exist.
    listed: whether /help lists it.
    for_everybody: blocked and unknown people may use it, too, past the access stage. Rate limited per address: a few
        times an hour, for outsiders once a day.
    takes_code: whether its argument is a confirmation code, which is counted separately.
    on_behalf: the permission that staff need to use it in the name of somebody else, as in the simulator.
    """

    name: str
    help: str | Promise
    handler: Handler
    order: int
    argument: str | Promise = ""
    permission: Permission | None = None
    listed: bool = True
    for_everybody: bool = False
    on_behalf: Permission | None = None
    takes_code: bool = False

    def is_for(self, *users: User | None) -> bool:
        """Return whether all of these users may use it."""
        return self.permission is None or all(may(user, self.permission) for user in users)

    def may_be_given_for(self, person: User | None, visitor: User | None) -> bool:
        """Return whether a visitor of the simulator may give it in a person's name; None: in that of an unknown one."""
        return self.on_behalf is None or person is None or person == visitor or may(visitor, self.on_behalf)


COMMANDS: dict[str, Command] = {}


def command(name: str, help: str | Promise, *, order: int, **options: Any) -> Callable[[Handler], Handler]:
    """Register the decorated coroutine as the command /name. options: the other fields of a Command."""

    def register(handler: Handler) -> Handler:
        COMMANDS[name] = Command(name, help, handler, order, **options)
        return handler

    return register


def find_command(name: str, *users: User | None) -> Command | None:
    """Return the command of that name if these users, a person and in the simulator the visitor, may use it."""
    found = COMMANDS.get(name)
    return found if found and found.is_for(*users) else None


def commands_for(*users: User | None) -> list[Command]:
    """Return the commands that these users may use, in the order of /help."""
    return [found for found in sorted(COMMANDS.values(), key=lambda it: it.order) if found.is_for(*users)]


def nearest(name: str, *users: User | None) -> str | None:
    """Return the command name closest to `name`, or None."""
    names = [found.name for found in commands_for(*users) if found.listed]
    return next(iter(difflib.get_close_matches(name, names, n=1)), None)

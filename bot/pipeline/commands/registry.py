"""The chat commands: one registry, from which the help text is made."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from bot.pipeline.services import Services
from bot.pipeline.turn import Turn

Handler = Callable[[Turn, Services], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Command:
    """A chat command: the word after the slash, what /help says of it, and what answers it."""

    name: str
    help: str | Promise
    handler: Handler


COMMANDS: dict[str, Command] = {}


def command(name: str, help: str | Promise) -> Callable[[Handler], Handler]:
    """Register the decorated coroutine as the command /name."""

    def register(handler: Handler) -> Handler:
        COMMANDS[name] = Command(name, help, handler)
        return handler

    return register


def find_command(text: str) -> Command | None:
    """Return the command a message gives ("/help", "/Usage today"), or None: an unknown /word is no command."""
    if not text.lstrip().startswith("/"):
        return None
    word = text.split(maxsplit=1)[0][1:].lower()
    return COMMANDS.get(word)

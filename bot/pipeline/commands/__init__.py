"""Chat commands, one module each. Importing this package registers them all."""

from bot.pipeline.commands import (  # noqa: F401 (they register themselves)
    allow,
    deny,
    export,
    forget,
    help,
    model,
    privacy,
    reset,
    spend,
    start,
    usage,
    users,
    whoami,
)
from bot.pipeline.commands.registry import find_command as find_command
from bot.pipeline.commands.registry import nearest as nearest

"""Chat commands. Importing this package registers them."""

from bot.pipeline.commands import basic, joining
from bot.pipeline.commands.registry import find_command, nearest, read_call

__all__ = ["basic", "find_command", "joining", "nearest", "read_call"]

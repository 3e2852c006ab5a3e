"""Chat commands. Importing this package registers them, in the order in which /help lists them."""

from bot.pipeline.commands import basic, self_service, privacy, forget, joining, people, spending  # isort: skip
from bot.pipeline.commands.registry import find_command, nearest

__all__ = [
    "basic",
    "find_command",
    "forget",
    "joining",
    "nearest",
    "people",
    "privacy",
    "self_service",
    "spending",
]

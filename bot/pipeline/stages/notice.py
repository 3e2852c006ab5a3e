"""A notice for an owner is sent as it is: nobody wrote it, so nobody has to be allowed, limited or answered."""

from bot.pipeline.services import Services
from bot.pipeline.turn import Turn


async def notice(turn: Turn, services: Services) -> None:
    """End a turn that is a notice with its text. Whether it may still be sent is checked when it is."""
    if turn.messages[0].notice:
        turn.end(turn.messages[0].notice)

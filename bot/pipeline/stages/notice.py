"""Notice stage: send a notice as it is, past access control, limits and the model."""

from bot.pipeline.services import Services
from bot.pipeline.turn import Turn


async def notice(turn: Turn, services: Services) -> None:
    """End a turn that is a notice with its text. The reply window is checked when it is sent."""
    if turn.messages[0].notice:
        turn.end(turn.messages[0].notice)

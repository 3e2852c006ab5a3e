"""Reply window stage: no completion is paid for that could not be sent. Sending checks the window again."""

import logging

from django.utils import timezone

from bot.errors import ErrorCode
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn

logger = logging.getLogger(__name__)


async def window(turn: Turn, services: Services) -> None:
    """End a turn silently if its reply window closed while it waited."""
    expired(turn)


def expired(turn: Turn) -> bool:
    """End a turn silently if its reply window is closed; return whether it is."""
    if not turn.window_is_closed(timezone.now()):
        return False
    logger.warning("turn_expired")
    turn.end(error_code=ErrorCode.WINDOW_EXPIRED)
    return True

"""No answer is paid for that could not be sent. (The window is checked again at the moment of sending.)"""

import logging

from django.utils import timezone

from bot.errors import ErrorCode
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn

logger = logging.getLogger(__name__)


async def window(turn: Turn, services: Services) -> None:
    """End a turn silently whose window for answers closed while it waited."""
    if turn.window_is_closed(timezone.now()):
        logger.warning("turn_expired")
        turn.end(error_code=ErrorCode.WINDOW_EXPIRED)

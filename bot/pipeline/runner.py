"""Stage runner: run a turn through its stages; the one place that catches, logs and words a stage's failure."""

import asyncio
import logging

from bot.ai.standing import row_code
from bot.errors import AppError, ErrorCode
from bot.pipeline.services import Services
from bot.pipeline.stages.access import access, ask_for_access, join_by_code
from bot.pipeline.stages.budget import budget
from bot.pipeline.stages.commands import commands, open_commands
from bot.pipeline.stages.completion import completion
from bot.pipeline.stages.notice import notice
from bot.pipeline.stages.rate_limit import rate_limit
from bot.pipeline.stages.window import window
from bot.pipeline.turn import Turn

logger = logging.getLogger(__name__)

# A stage ends the turn, raises AppError, or passes it on to the next. Stages that cost money come last.
FOR_PEOPLE = (notice, access, rate_limit, window, commands, budget, completion)
# For people who are not let in. The last one ends every turn.
FOR_STRANGERS = (notice, access, open_commands, join_by_code, ask_for_access)

# Caused by the person or a setting, not by a fault that somebody has to look into.
EXPECTED = frozenset(
    {
        ErrorCode.RATE_LIMIT_EXCEEDED,
        ErrorCode.UNSUPPORTED_MESSAGE,
        ErrorCode.MESSAGE_UNAVAILABLE,
        ErrorCode.MESSAGE_TOO_LONG,
        ErrorCode.BUDGET_EXCEEDED,
        ErrorCode.BOT_BUDGET_EXCEEDED,
        ErrorCode.GLOBAL_BUDGET_EXCEEDED,
    }
)


async def run(turn: Turn, services: Services) -> None:
    """Run the stages until one ends the turn. An AppError ends it with the error's text.

    Raises:
        Exception: anything unexpected; the worker retries the turn later.
    """
    name = ""
    try:
        async with asyncio.timeout(turn.seconds_left):
            turn.steps.append(("claimed", turn.elapsed_ms))
            for stage in FOR_PEOPLE if turn.is_of_member else FOR_STRANGERS:
                name = stage.__name__
                try:
                    await stage(turn, services)
                finally:
                    turn.steps.append((name, turn.elapsed_ms))
                if turn.result.ended:
                    logger.debug("turn_decided", extra={"stage": name, "has_reply": turn.result.reply is not None})
                    return
    except AppError as error:
        _fail(turn, error, name)
    except TimeoutError:
        # The turn's own deadline; a model call has another.
        _fail(turn, AppError(ErrorCode.INTERNAL_ERROR, "the turn's deadline passed", retryable=True), name)


def _fail(turn: Turn, error: AppError, stage: str) -> None:
    # A provider's code must not replace ours.
    context = {"provider_code" if name == "code" else name: value for name, value in error.context.items()}
    logger.log(
        logging.INFO if error.code in EXPECTED else logging.ERROR,
        "turn_failed",
        extra={"stage": stage, "code": error.code, "detail": error.detail, **context},
    )
    turn.end(error.sentence, error_code=row_code(error, turn.model))

"""Answer one turn: run its stages, store and send its reply; retry it later, or mark it dead."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.errors import GENERIC_SENTENCE, ErrorCode
from bot.language import activate_language
from bot.models import LeaseLost, OutboundPart
from bot.pipeline import runner
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from bot.worker.delivery import Delivery
from bot.worker.retry import MOST_ATTEMPTS, backoff, dead_reason, is_exhausted, may_retry
from bot.worker.settlement import Outcome, Settlement
from config.logs import context, sentry
from config.logs.redaction import hideable

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Answering:
    """The turn processor of one worker."""

    worker: str
    services: Services
    delivery: Delivery
    store: Callable[[Turn], Awaitable[list[OutboundPart]]]

    async def work(self, turn: Turn) -> None:
        """Answer a turn. Call it in a task of its own: log context and language stay set until the task ends.

        Raises nothing but a cancellation.
        """
        context.add(turn.log_ids, hideable(turn.address))
        activate_language(turn.bot.language)
        if not sentry.is_on():
            await self._work_through(turn)
            return
        # An own scope: breadcrumbs of one turn must not appear in another's error report.
        with sentry.own_scope():
            await self._work_through(turn)

    async def _work_through(self, turn: Turn) -> None:
        try:
            logger.info("turn_started", extra={"message_ids": turn.message_ids, "attempt": turn.attempts})
            await self._answer(turn)
        except LeaseLost:
            logger.warning("lease_lost", extra={"worker": self.worker})
        except asyncio.CancelledError:
            logger.info("turn_cut_off")
            raise
        except Exception as error:
            logger.exception("turn_crashed", extra={"attempt": turn.attempts})
            await self._try_later(turn, error)

    async def _answer(self, turn: Turn) -> None:
        parts = turn.parts
        if is_exhausted(turn):
            logger.error("turn_given_up", extra={"attempts": turn.attempts})
            await self._give_up(turn)
            return
        if not parts:
            await runner.run(turn, self.services)
            if turn.result.is_to_be_stored:
                parts = await self.store(turn)
                logger.debug("reply_stored", extra={"parts": len(parts)})
        await self.delivery.deliver(turn, parts)

    async def _give_up(self, turn: Turn) -> None:
        """Mark a turn dead and tell its person, unless sending is what fails."""
        if turn.parts or turn.attempts > MOST_ATTEMPTS + 1:
            await self.delivery.settle(Settlement(turn, Outcome.DEAD, error_code=dead_reason(turn)))
            return
        turn.result.given_up = True
        turn.end(str(GENERIC_SENTENCE), error_code=ErrorCode.INTERNAL_ERROR)
        await self.delivery.deliver(turn, await self.store(turn))

    async def _try_later(self, turn: Turn, error: Exception) -> None:
        retry = Settlement(turn, Outcome.RETRY, retry_in=backoff(turn.attempts), error_code=type(error).__name__)
        try:
            if may_retry(turn) or turn.parts:
                await self.delivery.settle(retry)
            else:
                await self._give_up(turn)
        except Exception as second:
            # The database cannot be written to; the lease expires and the turn is claimed again.
            logger.error("turn_left_to_lease", extra={"error": type(second).__name__})

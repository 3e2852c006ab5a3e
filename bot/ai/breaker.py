"""A circuit breaker for the model: while it is down nobody waits for it.

Without it an outage would cost every message the whole deadline, and its turn a place among the worker's turns.
"""

import logging
import time

from bot.ai.base import Completion, CompletionRequest, LanguageModel
from bot.errors import AppError, ErrorCode

logger = logging.getLogger(__name__)

# So many failures without one success between them are an outage. A chat's count as one: what it asks, or how long its
# conversation is, may be what the server fails at.
MOST_FAILURES = 3
# Then nobody asks for so long; after that one call tries. Each failed try doubles the pause, up to the longest.
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0
# The code of a call that was refused without asking anybody.
CIRCUIT_OPEN = "circuit_open"


class CircuitBreaker(LanguageModel):
    """Passes calls on to `model`, and refuses them at once while it is down. Belongs to one event loop, like it."""

    def __init__(self, model: LanguageModel) -> None:
        self.model = model
        self._failures = 0
        # Chats that failed since the last success. They are fewer than MOST_FAILURES while the circuit is closed.
        self._failed_chats: set[int] = set()
        self._pause = 0.0
        self._refuse_until = 0.0
        self._trying = False

    async def complete(self, request: CompletionRequest) -> Completion:
        """Return the model's answer.

        Raises:
            AppError: what the model raises; OPENAI_API_ERROR at once (code "circuit_open") while it is down.
        """
        trial = self._admit()
        try:
            completion = await self.model.complete(request)
        except AppError as error:
            if is_outage(error):
                self._fail(None if is_unreachable(error) else request.chat, trial=trial)
            else:
                self._succeed()
            raise
        else:
            self._succeed()
            return completion
        finally:
            if trial:
                self._trying = False

    async def close(self) -> None:
        """Release the model's connections."""
        await self.model.close()

    def _admit(self) -> bool:
        """Return whether this call is the one that tries a model which was down."""
        if not self._pause:
            return False
        if self._trying or time.monotonic() < self._refuse_until:
            context = {"status": None, "code": CIRCUIT_OPEN}
            detail = "the model was not asked: it is down"
            raise AppError(ErrorCode.OPENAI_API_ERROR, detail, retryable=True, context=context)
        self._trying = True
        return True

    def _succeed(self) -> None:
        if self._pause:
            logger.info("model_circuit_closed")
        self._failures, self._pause = 0, 0.0
        self._failed_chats.clear()

    def _fail(self, chat: int | None, *, trial: bool) -> None:
        is_known = chat in self._failed_chats
        # A trial's failure concerns everybody: the model was down before it.
        if is_known and not trial:
            return
        self._failures += 1
        if chat is not None and not self._pause:
            self._failed_chats.add(chat)
        # Calls that were under way when it opened fail as well; only a trial makes the pause longer.
        if self._failures == MOST_FAILURES or trial:
            self._pause = min(self._pause * 2 or FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
            self._refuse_until = time.monotonic() + self._pause
            logger.error("model_circuit_opened", extra={"failures": self._failures, "seconds": self._pause})


def is_unreachable(error: AppError) -> bool:
    """Return whether there is no connection to the model's server, which no request can be the cause of."""
    return str(error.context.get("code")).startswith(("ClientConnect", "ConnectionTimeout"))


def is_outage(error: AppError) -> bool:
    """Return whether an error says that the model's server is down: unreachable, silent, or failing by itself.

    Throttling, a refused key and an answer nobody can use are not: they come quickly, and for one call only.
    """
    status = error.context.get("status")
    return error.code == ErrorCode.OPENAI_API_ERROR and error.retryable and (status is None or status >= 500)

"""Remember how much was too much for a model's context, so that the next message need not be refused to learn it."""

import time

from bot.ai.base import CompletionRequest
from bot.ai.tokens import estimate_prompt_tokens

# Then it is tried again: the operator may have given the server a larger context.
REMEMBERED_SECONDS = 3_600.0


class Windows:
    """What was refused last, by model: of which size, in rough tokens, and what the server said of its context."""

    def __init__(self) -> None:
        self._refused: dict[str, tuple[int, int, float]] = {}

    def note(self, request: CompletionRequest, window: int) -> None:
        """Remember a request that was too long; window: of how many tokens the server told, 0 of none."""
        self._refused[request.model] = estimate_prompt_tokens(request.messages), window, time.monotonic()

    def exceeded_by(self, request: CompletionRequest) -> int | None:
        """Return the window that a request would exceed like the one before it; None when it may be taken."""
        if (refused := self._refused.get(request.model)) is None:
            return None
        tokens, window, at = refused
        if time.monotonic() - at > REMEMBERED_SECONDS:
            del self._refused[request.model]
            return None
        return window if estimate_prompt_tokens(request.messages) >= tokens else None

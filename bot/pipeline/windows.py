"""Cache of models' context limits, learned from refused requests."""

import time

from bot.ai.base import CompletionRequest
from bot.ai.tokens import estimate_prompt_tokens

# Then a limit expires, because the operator may have enlarged the server's context.
REMEMBERED_SECONDS = 3_600.0


class Windows:
    """The last refused request by model: its size in estimated tokens, and the context size that the server told."""

    def __init__(self) -> None:
        self._refused: dict[str, tuple[int, int, float]] = {}

    def note(self, request: CompletionRequest, window: int) -> None:
        """Remember a request that was too long. window: the context size that the server told, 0 without one."""
        self._refused[request.model] = estimate_prompt_tokens(request.messages), window, time.monotonic()

    def exceeded_by(self, request: CompletionRequest) -> int | None:
        """Return the window that a request probably exceeds, judging by the refused one; None if it may fit."""
        if (refused := self._refused.get(request.model)) is None:
            return None
        tokens, window, at = refused
        if time.monotonic() - at > REMEMBERED_SECONDS:
            del self._refused[request.model]
            return None
        return window if estimate_prompt_tokens(request.messages) >= tokens else None

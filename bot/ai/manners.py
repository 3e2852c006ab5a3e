"""How a server wants to be asked, as far as it differs: learned from what it refuses, for each model."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlsplit

from bot.ai.base import ChatMessage, RefusalKind
from bot.ai.messages import folded
from bot.ai.refusals import CAP_NAMES, Refusal, names_unknown_cap

# Hosts of OpenAI's own models, which refuse the older max_tokens; other servers know only that one.
OPENAI_HOSTS = (".api.openai.com", ".openai.azure.com")


@dataclass(frozen=True, slots=True)
class Manner:
    """How a model is asked.

    cap_name: what the answer's cap is called. cap_is_set: by the operator, so that it stays. folds_system: its template
    knows no system role (or counts it as a turn), so the system prompt begins the first user's message.
    """

    cap_name: str
    cap_is_set: bool = False
    folds_system: bool = False

    def order(self, messages: Sequence[ChatMessage]) -> Sequence[ChatMessage]:
        """Return messages as the model takes them; no more tokens than they were counted for."""
        return folded(messages) if self.folds_system else messages

    def after(self, refusal: Refusal) -> Self | None:
        """Return the manner that the refusal asks for; None when no other would help."""
        if names_unknown_cap(refusal, self.cap_name) and not self.cap_is_set:
            other = next(name for name in CAP_NAMES if name != self.cap_name)
            # Some refuse both names, and some name the one that they want: it is tried once.
            return replace(self, cap_name=other, cap_is_set=True)
        if refusal.kind in {RefusalKind.SYSTEM_ROLE, RefusalKind.ALTERNATION} and not self.folds_system:
            return replace(self, folds_system=True)
        return None


def max_tokens_name(base_url: str) -> str:
    """Return how the server at base_url most likely calls the cap of an answer."""
    host = urlsplit(base_url).hostname or ""
    return "max_completion_tokens" if f".{host}".endswith(OPENAI_HOSTS) else "max_tokens"

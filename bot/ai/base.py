"""The contract with a language model: what it is asked, and what one completion gives back."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bot.errors import AppError, ErrorCode


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a prompt: role is system, user or assistant."""

    role: str
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """What a model is asked: messages oldest first; max_tokens caps the answer, deadline_seconds the whole call.

    chat: the same for all requests of one chat, None when it is nobody's.
    effort: how much it is to reason first, one of bot.ai.effort.Effort.
    """

    model: str
    messages: tuple[ChatMessage, ...]
    max_tokens: int
    deadline_seconds: float
    chat: int | None = None
    effort: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """One result of a model call. request_id is the provider's.

    input_tokens includes cached_input_tokens (read from the provider's cache) and cache_write_tokens (written into it).
    finish_reason: why the model stopped, in the provider's word. is_cut: text ends before the answer does.
    """

    text: str = field(repr=False)
    model: str
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0
    request_id: str = ""
    cache_write_tokens: int = 0
    finish_reason: str = ""
    is_cut: bool = False


class EmptyCompletion(AppError):
    """The model answered and bills it, but there is nothing in it to send. `completion` is what is billed."""

    def __init__(self, completion: Completion, detail: str, code: str, *, retryable: bool) -> None:
        context = {
            "status": 200,
            "code": code,
            "provider_request_id": completion.request_id,
            "model": completion.model,
        }
        super().__init__(ErrorCode.OPENAI_API_ERROR, detail, retryable=retryable, context=context)
        self.completion = completion


class RefusalKind(StrEnum):
    """Why a model's server does not take a request, as far as its words tell."""

    TOO_LONG = "too_long"
    SYSTEM_ROLE = "system_role"
    ALTERNATION = "alternation"
    ACCOUNT = "account"
    UNKNOWN_MODEL = "unknown_model"
    FILTERED = "filtered"
    OTHER = "other"


class RefusedRequest(AppError):
    """The model's server does not take this request, and would not take it later either.

    window: how many tokens its context has, 0 when it does not say; told with kind TOO_LONG only.
    """

    def __init__(self, kind: RefusalKind, detail: str, context: dict[str, Any], *, window: int = 0) -> None:
        super().__init__(ErrorCode.OPENAI_API_ERROR, detail, context={**context, "refusal": kind.value})
        self.kind = kind
        self.window = window


class LanguageModel(ABC):
    """A model provider. One instance belongs to one event loop; close() ends its connections."""

    @abstractmethod
    async def complete(self, request: CompletionRequest) -> Completion:
        """Return the model's answer.

        Raises:
            EmptyCompletion: the answer is none, but it is billed.
            RefusedRequest: the server does not take this request; it is not billed.
            AppError: OPENAI_API_ERROR (unreachable, refused, too slow, not understood) or CONFIGURATION_ERROR.
        """

    async def close(self) -> None:
        """Release connections. Safe to call twice."""
        return None

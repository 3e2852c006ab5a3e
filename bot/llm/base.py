"""The contract with a language model: what it is asked, and what one completion gives back."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from bot.errors import AppError, ErrorCode


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a prompt: role is system, user or assistant."""

    role: str
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """What a model is asked: messages oldest first; max_tokens caps the answer, deadline_seconds the whole call.

    effort: how much it is to reason first, one of bot.llm.effort.Effort.
    """

    model: str
    messages: tuple[ChatMessage, ...]
    max_tokens: int
    deadline_seconds: float
    effort: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """One result of a model call. input_tokens includes cached_input_tokens; request_id is the provider's."""

    text: str = field(repr=False)
    model: str
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int = 0
    request_id: str = ""


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


class LanguageModel(ABC):
    """A model provider. One instance belongs to one event loop; close() ends its connections."""

    @abstractmethod
    async def complete(self, request: CompletionRequest) -> Completion:
        """Return the model's answer.

        Raises:
            EmptyCompletion: the answer is none, but it is billed.
            AppError: OPENAI_API_ERROR (unreachable, refused, too slow, not understood) or CONFIGURATION_ERROR.
        """

    async def close(self) -> None:
        """Release connections. Safe to call twice."""
        return None

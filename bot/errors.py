"""What can go wrong, as codes; what HTTP calls each, and the one table of sentences a person may read about it."""

from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy


class ErrorCode(StrEnum):
    """The closed set of reasons; they are stored in rows and logs, so a value never changes."""

    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    UNAUTHORIZED = "UNAUTHORIZED"
    INVALID_INPUT = "INVALID_INPUT"
    OPENAI_API_ERROR = "OPENAI_API_ERROR"
    DATABASE_ERROR = "DATABASE_ERROR"
    BUDGET_EXCEEDED = "BUDGET_EXCEEDED"
    BOT_BUDGET_EXCEEDED = "BOT_BUDGET_EXCEEDED"
    GLOBAL_BUDGET_EXCEEDED = "GLOBAL_BUDGET_EXCEEDED"
    UNSUPPORTED_MESSAGE = "UNSUPPORTED_MESSAGE"
    MESSAGE_UNAVAILABLE = "MESSAGE_UNAVAILABLE"
    MESSAGE_TOO_LONG = "MESSAGE_TOO_LONG"
    CONVERSATION_TOO_LONG = "CONVERSATION_TOO_LONG"
    REQUEST_REFUSED = "REQUEST_REFUSED"
    CHANNEL_ERROR = "CHANNEL_ERROR"
    WINDOW_EXPIRED = "WINDOW_EXPIRED"
    CONFIGURATION_ERROR = "CONFIGURATION_ERROR"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    NOT_FOUND = "NOT_FOUND"
    BUSY = "BUSY"
    INTERNAL_ERROR = "INTERNAL_ERROR"


# What a request is answered with that fails for this reason; a raise that knows better says so itself.
STATUS_CODES: dict[ErrorCode, int] = {
    ErrorCode.RATE_LIMIT_EXCEEDED: 429,
    ErrorCode.UNAUTHORIZED: 403,
    ErrorCode.INVALID_INPUT: 400,
    ErrorCode.OPENAI_API_ERROR: 502,
    ErrorCode.DATABASE_ERROR: 503,
    ErrorCode.BUDGET_EXCEEDED: 429,
    ErrorCode.BOT_BUDGET_EXCEEDED: 429,
    ErrorCode.GLOBAL_BUDGET_EXCEEDED: 429,
    ErrorCode.UNSUPPORTED_MESSAGE: 422,
    ErrorCode.MESSAGE_UNAVAILABLE: 422,
    ErrorCode.MESSAGE_TOO_LONG: 413,
    ErrorCode.CONVERSATION_TOO_LONG: 413,
    ErrorCode.REQUEST_REFUSED: 502,
    ErrorCode.CHANNEL_ERROR: 502,
    ErrorCode.WINDOW_EXPIRED: 409,
    ErrorCode.CONFIGURATION_ERROR: 500,
    ErrorCode.PAYLOAD_TOO_LARGE: 413,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.BUSY: 503,
    ErrorCode.INTERNAL_ERROR: 500,
}

GENERIC_SENTENCE = _("Something went wrong on my side. Please try again in a moment.")

# What a person reads. Codes that are not here never reach a person except as GENERIC_SENTENCE.
SENTENCES: dict[ErrorCode, Promise | str] = {
    ErrorCode.RATE_LIMIT_EXCEEDED: _("You've reached the message limit. Please wait a minute."),
    ErrorCode.UNAUTHORIZED: _("Hello! I only answer people who were invited. Please ask the owner for access."),
    ErrorCode.OPENAI_API_ERROR: _("I'm having trouble connecting to my AI service. Please try again in a moment."),
    ErrorCode.BUDGET_EXCEEDED: _("You've reached today's limit. Please try again tomorrow."),
    # Not the person's doing, and nobody's business what the others cost.
    ErrorCode.BOT_BUDGET_EXCEEDED: _("I can't answer any more today. Please try again tomorrow."),
    ErrorCode.GLOBAL_BUDGET_EXCEEDED: _("I can't answer any more today. Please try again tomorrow."),
    ErrorCode.UNSUPPORTED_MESSAGE: _("I can read text only so far. Please write to me instead."),
    ErrorCode.MESSAGE_UNAVAILABLE: _("Your message did not get through to me. Please send it again."),
    ErrorCode.MESSAGE_TOO_LONG: _("That is more than I can read at once. Please send me less text."),
    ErrorCode.CONVERSATION_TOO_LONG: _(
        "Our conversation has become too long for me. Please send /reset to start a new one."
    ),
    ErrorCode.REQUEST_REFUSED: _(
        "My AI service does not accept this. Please put it in other words, or send /reset to start a new conversation."
    ),
    ErrorCode.CONFIGURATION_ERROR: _("I'm not set up correctly yet. Please tell the owner."),
}

# What it is instead when the error brings the numbers that belong into it (AppError.params).
EXACT_SENTENCES: dict[ErrorCode, Promise] = {
    ErrorCode.RATE_LIMIT_EXCEEDED: ngettext_lazy(
        "You've reached the message limit. Please wait %(seconds)d second.",
        "You've reached the message limit. Please wait %(seconds)d seconds.",
        "seconds",
    ),
}


class AppError(Exception):
    """A failure with a code: the person reads its sentence; detail and context go to the log only.

    detail and context hold no personal data and no secret. An error of a provider has what its support asks for in its
    context: `provider_request_id`. `retryable` says whether trying again later can help. `params` are what the code's
    sentence in EXACT_SENTENCES names. Without a status_code it is the code's.
    """

    # (config/logs/tracebacks.py: logs and error reports may show it.)
    text_is_safe = True

    def __init__(
        self,
        code: ErrorCode,
        detail: str = "",
        *,
        status_code: int | None = None,
        retryable: bool = False,
        context: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}" if detail else str(code))
        self.code = code
        self.detail = detail
        self.status_code = STATUS_CODES[code] if status_code is None else status_code
        self.retryable = retryable
        self.context = context or {}
        self.params = params or {}

    @property
    def sentence(self) -> str:
        """The one friendly sentence a person gets."""
        if self.params and self.code in EXACT_SENTENCES:
            return str(EXACT_SENTENCES[self.code] % self.params)
        return str(SENTENCES.get(self.code, GENERIC_SENTENCE))

"""Completion stage: ask the model, with a retry for a smaller context, and remember the answer."""

import asyncio
import logging
import time
from dataclasses import replace

from bot.ai.base import (
    ChatMessage,
    Completion,
    CompletionRequest,
    EmptyCompletion,
    RefusalKind,
    RefusedRequest,
)
from bot.ai.breaker import CIRCUIT_OPEN
from bot.ai.tokens import cautious_prompt_tokens
from bot.channels.sending import SendError
from bot.errors import AppError, ErrorCode
from bot.monitoring.metrics import observe
from bot.pipeline import replies
from bot.pipeline.prompts import smaller
from bot.pipeline.result import ModelCall
from bot.pipeline.services import Services
from bot.pipeline.turn import Turn
from conversations.memory import Said

logger = logging.getLogger(__name__)

# Faster answers skip the typing indicator, which is one more call of the provider's API.
TYPING_AFTER_SECONDS = 0.3
# Fewer than the connections to providers, to leave some for replies.
MOST_SIGNS = 50


async def completion(turn: Turn, services: Services) -> None:
    """Answer the turn with one completion.

    Raises:
        AppError: UNSUPPORTED_MESSAGE, MESSAGE_UNAVAILABLE, MESSAGE_TOO_LONG (see Turn.request); MESSAGE_TOO_LONG,
            CONVERSATION_TOO_LONG or CONFIGURATION_ERROR when the model's context is too small; REQUEST_REFUSED; what
            the model raises.
    """
    request = turn.request
    if turn.waited_seconds:
        request = replace(
            request, deadline_seconds=min(request.deadline_seconds - turn.waited_seconds, turn.seconds_left)
        )
    typing = asyncio.get_running_loop().call_later(TYPING_AFTER_SECONDS, begin_typing, turn, services)
    try:
        answer = await _answer(turn, request, services)
    except EmptyCompletion as error:
        turn.result.calls.append(ModelCall(request.model, error.completion))
        if _left_no_room(error, request) and _shows_history(turn, request):
            raise AppError(ErrorCode.CONVERSATION_TOO_LONG, error.detail, context=error.context) from None
        raise
    finally:
        typing.cancel()
    turn.result.calls.append(ModelCall(request.model, answer))
    reply = replies.written(answer)
    turn.result.remember = [Said("user", turn.text), Said("assistant", answer.text)]
    turn.end(reply, rendered=await replies.rendered(reply, turn.bot.channel))


async def _answer(turn: Turn, request: CompletionRequest, services: Services) -> Completion:
    """Return the model's answer; if the prompt exceeds its context, retry once with less history.

    A refused call is not billed, and the retry is smaller: the reservation covers it.
    """
    began = time.monotonic()
    if (known := services.windows.exceeded_by(request)) is not None:
        request = smaller(request, turn.bot.system_prompt, turn.history, turn.text, known) or request
    try:
        return await _ask(request, services)
    except RefusedRequest as error:
        window, less = error.window, None
        if error.kind is RefusalKind.TOO_LONG:
            less = smaller(request, turn.bot.system_prompt, turn.history, turn.text, window)
        if less is None:
            raise _told(turn, request, error) from None
        logger.warning("model_context_exceeded", extra={"model": request.model, "window": window or None})
    less = replace(less, deadline_seconds=max(request.deadline_seconds - (time.monotonic() - began), 0.1))
    try:
        answer = await _ask(less, services)
    except RefusedRequest as error:
        raise _told(turn, less, error) from None
    services.windows.note(request, window)
    return answer


def _told(turn: Turn, request: CompletionRequest, error: RefusedRequest) -> AppError:
    """Return the error for the person when the model's server refuses a request."""
    code = ErrorCode.REQUEST_REFUSED
    if error.kind is RefusalKind.TOO_LONG:
        code = _what_is_too_long(turn, request)
    return AppError(code, error.detail, context=error.context)


def _shows_history(turn: Turn, request: CompletionRequest) -> bool:
    """Return whether a request contains history that /reset would clear."""
    return request.messages[-1].content != turn.text or any(it.role == "assistant" for it in request.messages)


def _left_no_room(error: EmptyCompletion, request: CompletionRequest) -> bool:
    """Return whether the prompt filled the context: some servers then end the answer before its cap."""
    return error.context["code"] == "empty_length" and error.completion.output_tokens < request.max_tokens // 2


def _what_is_too_long(turn: Turn, request: CompletionRequest) -> ErrorCode:
    """Return the code for the part that is too long: the conversation, the message, or the bot's prompt."""
    if _shows_history(turn, request):
        return ErrorCode.CONVERSATION_TOO_LONG
    of_bot = cautious_prompt_tokens([ChatMessage("system", turn.bot.system_prompt)])
    own = cautious_prompt_tokens([ChatMessage("user", turn.text)])
    return ErrorCode.MESSAGE_TOO_LONG if own > of_bot else ErrorCode.CONFIGURATION_ERROR


async def _ask(request: CompletionRequest, services: Services) -> Completion:
    """Return the model's answer and observe its duration, unless the circuit breaker is open."""
    began = time.monotonic()
    try:
        answer = await services.model.complete(request)
    except AppError as error:
        if error.context.get("code") != CIRCUIT_OPEN:
            observe("model_seconds", time.monotonic() - began, model=request.model)
        raise
    seconds = time.monotonic() - began
    observe("model_seconds", seconds, model=request.model)
    replies.log_answer(answer, seconds)
    return answer


def begin_typing(turn: Turn, services: Services) -> None:
    """Show the typing indicator in the background, unless so many are pending that replies would lack connections."""
    if len(services.background) < MOST_SIGNS:
        services.in_background(asyncio.create_task(show_typing(turn, services)))


async def show_typing(turn: Turn, services: Services) -> None:
    """Mark the last message as read and show the typing indicator; a failure has no other effect."""
    try:
        await turn.bot.channel.show_typing(services.client, turn.bot.account, turn.messages[-1].external_id)
    except SendError as error:
        logger.info(
            "typing_not_shown", extra={"error_code": error.code, "provider_request_id": error.provider_request_id}
        )

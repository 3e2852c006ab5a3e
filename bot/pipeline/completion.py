"""Ask the model: what it is shown, and what is remembered of its answer."""

import asyncio
import logging
import time
from collections.abc import Iterable

from django.conf import settings

from bot.channels.base import Channel, SendError
from bot.channels.rendering import has_markdown, render
from bot.errors import AppError, ErrorCode
from bot.llm.base import ChatMessage, Completion, CompletionRequest, EmptyCompletion
from bot.llm.breaker import CIRCUIT_OPEN
from bot.llm.tokens import estimate_prompt_tokens, estimate_tokens
from bot.metrics import observe
from bot.pipeline.services import Services
from bot.pipeline.turn import ModelCall, Turn
from conversations.many import Said

logger = logging.getLogger(__name__)

# An answer that comes sooner needs no sign that it is coming, which is one more call of the provider's API.
TYPING_AFTER_SECONDS = 0.3
# Fewer than the connections to providers, which replies need.
MOST_SIGNS = 50


async def completion(turn: Turn, services: Services) -> None:
    """Answer the turn with one completion.

    Raises:
        AppError: UNSUPPORTED_MESSAGE, MESSAGE_TOO_LONG (see request_for); what the model raises.
    """
    request = request_for(turn)
    typing = asyncio.get_running_loop().call_later(TYPING_AFTER_SECONDS, begin_typing, turn, services)
    try:
        answer = await _ask(request, services)
    except EmptyCompletion as error:
        turn.calls.append(ModelCall(request.model, error.completion))
        raise
    finally:
        typing.cancel()
    turn.calls.append(ModelCall(request.model, answer))
    rendered = await _rendered(answer.text, turn.bot.channel)
    turn.remember = [Said("user", request.messages[-1].content), Said("assistant", answer.text)]
    turn.end(answer.text, rendered=rendered)


async def _rendered(markdown: str, channel: Channel) -> list[str]:
    """Return a model's Markdown as the texts that its channel sends; empty: as it is."""
    if channel.dialect is None or not has_markdown(markdown):
        return []
    try:
        # (In a thread: a long answer takes its time, and other turns go on meanwhile.)
        return await asyncio.to_thread(render, markdown, channel.dialect, channel.max_text_length)
    except Exception:
        # It is paid for: better with its asterisks than asked for again.
        logger.exception("reply_not_rendered")
        return []


def log_answer(answer: Completion, seconds: float) -> None:
    """Log what answered and how much of it there is, with the id that the provider's support asks for."""
    facts = {
        "model": answer.model,
        "input_tokens": answer.input_tokens,
        "output_tokens": answer.output_tokens,
        "seconds": round(seconds, 3),
        "provider_request_id": answer.request_id,
    }
    logger.info("model_answered", extra=facts)


async def _ask(request: CompletionRequest, services: Services) -> Completion:
    """Return the model's answer, and note how long it took, unless nobody was asked: the circuit is open."""
    began = time.monotonic()
    try:
        answer = await services.model.complete(request)
    except AppError as error:
        if error.context.get("code") != CIRCUIT_OPEN:
            observe("model_seconds", time.monotonic() - began, model=request.model)
        raise
    seconds = time.monotonic() - began
    observe("model_seconds", seconds, model=request.model)
    log_answer(answer, seconds)
    return answer


def request_for(turn: Turn) -> CompletionRequest:
    """Return what the model is asked in a turn.

    Raises:
        AppError: UNSUPPORTED_MESSAGE when nothing in the turn can be read, MESSAGE_TOO_LONG when its own text is more
            than a model is shown.
    """
    if not turn.prompt:
        turn.prompt = _prompt_of(turn)
    return CompletionRequest(
        model=turn.model,
        messages=turn.prompt,
        max_tokens=settings.MAX_REPLY_TOKENS,
        deadline_seconds=settings.MODEL_DEADLINE_SECONDS - turn.waited_seconds,
    )


def _prompt_of(turn: Turn) -> tuple[ChatMessage, ...]:
    if not turn.has_text:
        kinds = sorted({message.kind for message in turn.messages})
        raise AppError(ErrorCode.UNSUPPORTED_MESSAGE, context={"kinds": kinds})
    text, most = turn.text, settings.MAX_MODEL_TOKENS
    if (tokens := estimate_tokens(text)) > most:
        raise AppError(ErrorCode.MESSAGE_TOO_LONG, context={"estimated_tokens": tokens})
    return prompt(turn.bot.system_prompt, turn.history, text, most)


def prompt(system_prompt: str, history: Iterable[ChatMessage], text: str, budget: int) -> tuple[ChatMessage, ...]:
    """Return what the model is shown within a budget of tokens: newest messages first, none of them split.

    The system prompt and the person's own message are always in it.
    """
    fixed = [ChatMessage("system", system_prompt)] if system_prompt else []
    current = ChatMessage("user", text)
    left = budget - estimate_prompt_tokens((*fixed, current))
    kept: list[ChatMessage] = []
    for message in reversed(list(history)):
        left -= estimate_prompt_tokens((message,))
        if left < 0:
            break
        kept.append(message)
    return (*fixed, *reversed(kept), current)


def begin_typing(turn: Turn, services: Services) -> None:
    """Show the sign without waiting for it, unless so many are under way that replies would wait for connections."""
    if len(services.background) < MOST_SIGNS:
        services.in_background(asyncio.create_task(show_typing(turn, services)))


async def show_typing(turn: Turn, services: Services) -> None:
    """Mark the last message as read and show that an answer is coming; a failure costs nothing but the sign."""
    try:
        await turn.bot.channel.show_typing(services.client, turn.bot.account, turn.messages[-1].external_id)
    except SendError as error:
        logger.info(
            "typing_not_shown", extra={"error_code": error.code, "provider_request_id": error.provider_request_id}
        )

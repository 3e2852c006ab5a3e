"""Prompt building: fit a conversation into a budget of tokens, whole exchanges, the newest first."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from bot.ai.base import ChatMessage, CompletionRequest
from bot.ai.messages import exchanges, joined
from bot.ai.tokens import cautious_prompt_tokens, estimate_prompt_tokens
from bot.channels.events import TEXT
from bot.queue.turn_message import TurnMessage

Size = Callable[[Iterable[ChatMessage]], int]

# A retry shows 1/4 of a prompt if the server does not tell the size of its context.
SHARE_OF_UNKNOWN = 4
# An answer gets at most 1/4 of a context that is too small for MAX_REPLY_TOKENS.
SHARE_OF_ANSWER = 4
# Stands for a quoted message that is no longer kept.
ANSWERS_EARLIER = "[answers an earlier message]"


def text_of(messages: Iterable[TurnMessage], quoted: Mapping[str, str]) -> str:
    """Return a person's messages as one text; unreadable content and quotes are described in brackets."""
    return "\n".join(line for message in messages for line in _lines(message, quoted) if line)


def _lines(message: TurnMessage, quoted: Mapping[str, str]) -> tuple[str, ...]:
    if not message.note and not message.quotes:  # like most messages
        return (message.text if message.kind == TEXT else _named(message),)
    said = message.text if message.note or message.kind == TEXT else _named(message)
    return quoted.get(message.quotes, ANSWERS_EARLIER) if message.quotes else "", said, message.note


def _named(message: TurnMessage) -> str:
    caption = f": {message.text}" if message.text else ""
    return f"[{message.kind}{caption}]"


def prompt(
    system_prompt: str, history: Iterable[ChatMessage], text: str, budget: int, size: Size = estimate_prompt_tokens
) -> tuple[ChatMessage, ...]:
    """Return the prompt within a budget of tokens: the newest exchanges, none of them split.

    The system prompt and the person's own message are always included whole. After the system prompt roles alternate,
    beginning with a user's message. An unanswered question is joined with the person's own message.
    """
    fixed = [ChatMessage("system", system_prompt)] if system_prompt else []
    current = ChatMessage("user", text)
    of_any = size(())
    left = budget - size((*fixed, current))
    kept: list[ChatMessage] = []
    for exchange in reversed(exchanges(history)):
        left -= size(exchange) - of_any
        if left < 0:
            break
        if exchange[-1].role == "user":
            current = joined(exchange[-1], current)
        else:
            kept[:0] = exchange
    return (*fixed, *kept, current)


def smaller(
    request: CompletionRequest, system_prompt: str, history: Iterable[ChatMessage], text: str, window: int
) -> CompletionRequest | None:
    """Return a request with less history that fits a server's context; None if history cannot be reduced.

    window: the context's size in tokens, 0 if unknown. It is estimated with caution, so that one retry is enough. The
    request never exceeds the first one in anything.
    """
    whole = cautious_prompt_tokens(request.messages)
    answer = request.max_tokens
    if window and answer > window // 2:
        answer = max(1, min(answer, window // SHARE_OF_ANSWER))
    room = min(window - answer, whole - 1) if window else whole // SHARE_OF_UNKNOWN
    less = prompt(system_prompt, history, text, room, cautious_prompt_tokens)
    if less == request.messages and answer == request.max_tokens:
        return None
    return replace(request, messages=less, max_tokens=answer)

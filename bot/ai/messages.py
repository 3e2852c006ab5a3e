"""Bring messages into the order that every server takes: begun by the user, and from then on by turns.

Templates of Gemma, Mistral and Llama 2, and the APIs of Anthropic and Bedrock refuse every other order.
"""

from collections.abc import Iterable

from bot.ai.base import ChatMessage


def alternating(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    """Return system messages first, then user and assistant by turns, beginning with the user.

    Neighbours of one role are joined. Blank messages are left out, and so is an answer that lost its question.
    """
    system: list[ChatMessage] = []
    said: list[ChatMessage] = []
    for message in messages:
        if not message.content or message.content.isspace():
            continue
        if message.role == "system":
            system.append(message)
        elif said and said[-1].role == message.role:
            said[-1] = joined(said[-1], message)
        elif said or message.role == "user":
            said.append(message)
    return [*system, *said]


def exchanges(history: Iterable[ChatMessage]) -> list[tuple[ChatMessage, ...]]:
    """Return what was said as pairs of question and answer, oldest first; the last question may have no answer."""
    said = alternating(history)
    return [tuple(said[begin : begin + 2]) for begin in range(0, len(said), 2)]


def folded(messages: Iterable[ChatMessage]) -> list[ChatMessage]:
    """Return messages in order, with the system prompt as the beginning of the first user's message."""
    return alternating(ChatMessage("user", it.content) if it.role == "system" else it for it in messages)


def joined(first: ChatMessage, second: ChatMessage) -> ChatMessage:
    """Return two messages of one role as one, with a blank line between them."""
    return ChatMessage(first.role, f"{first.content}\n\n{second.content}")

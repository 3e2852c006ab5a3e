"""Rendering of a model's answer for a channel, and the log line of its call."""

import asyncio
import logging

from django.utils.translation import gettext as _

from bot.ai.base import Completion
from bot.channels.channel import Channel
from bot.channels.rendering import has_markdown, render

logger = logging.getLogger(__name__)

# An answer of so many characters is rendered in a millisecond, and needs no thread.
SHORT = 500


def written(answer: Completion) -> str:
    """Return the text for the person. Its hint is not remembered, or the model would learn to write it."""
    if not answer.is_cut:
        return answer.text
    return answer.text + "\n\n" + _("(That was not all. Ask me to go on if you want the rest.)")


async def rendered(markdown: str, channel: Channel) -> list[str]:
    """Return a model's Markdown as texts in the channel's dialect; empty: send it as it is."""
    if channel.dialect is None or not has_markdown(markdown):
        return []
    try:
        if len(markdown) <= SHORT:
            return render(markdown, channel.dialect, channel.max_text_length)
        # In a thread, because a long answer would block other turns.
        return await asyncio.to_thread(render, markdown, channel.dialect, channel.max_text_length)
    except Exception:
        # It is paid for: better sent as raw Markdown than asked for again.
        logger.exception("reply_not_rendered")
        return []


def log_answer(answer: Completion, seconds: float) -> None:
    """Log the model and size of an answer, with the id that the provider's support asks for."""
    facts = {
        "model": answer.model,
        "input_tokens": answer.input_tokens,
        "output_tokens": answer.output_tokens,
        "seconds": round(seconds, 3),
        "finish_reason": answer.finish_reason,
        "is_cut": answer.is_cut,
        "provider_request_id": answer.request_id,
    }
    logger.info("model_answered", extra=facts)

"""Call the adapter against a server that misbehaves."""

import asyncio
import traceback

import pytest

from bot.ai.base import (
    ChatMessage,
    Completion,
    CompletionRequest,
)
from bot.ai.openai import OpenAIModel
from bot.errors import AppError

KEY = "sk-canary0123456789"
SECRET_TEXT = "The treasure is under the oak"
PROMPT = (ChatMessage("system", "Be kind"), ChatMessage("user", SECRET_TEXT))


def ask(url: str, deadline: float = 20, prompt: tuple[ChatMessage, ...] = PROMPT, key: str = KEY) -> Completion:
    async def run() -> Completion:
        model = OpenAIModel(key, f"{url}/v1")
        try:
            return await model.complete(CompletionRequest("gpt-6-luna", prompt, 500, deadline))
        finally:
            await model.close()

    return asyncio.run(run())


def failure(url: str, deadline: float = 20, key: str = KEY) -> AppError:
    with pytest.raises(AppError) as caught:
        ask(url, deadline, key=key)
    # What is logged of it: the traceback with all that it was raised from, and the context.
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value.context)
    assert key not in shown
    assert SECRET_TEXT not in shown
    return caught.value

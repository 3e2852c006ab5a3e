"""Bodies of chat completions."""

import json
from typing import Any

import pytest

from bot.ai.answers import read_completion
from bot.ai.base import ChatMessage, Completion, CompletionRequest
from bot.errors import AppError, ErrorCode

REQUEST = CompletionRequest("house", (ChatMessage("user", "Hello"),), 500, 20)
USAGE = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}


def read(raw: bytes | str | dict[str, Any]) -> Completion:
    content = json.dumps(raw) if isinstance(raw, dict) else raw
    return read_completion(content if isinstance(content, bytes) else content.encode(), REQUEST, "req_7")


def body(message: Any, finish_reason: Any = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": message, "finish_reason": finish_reason}], "usage": USAGE, **more}


def failure(raw: bytes | str | dict[str, Any]) -> AppError:
    with pytest.raises(AppError) as caught:
        read(raw)
    assert caught.value.code == ErrorCode.OPENAI_API_ERROR
    return caught.value

"""A stand-in of an OpenAI-compatible model API: it echoes the last user message."""

import itertools
import secrets
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.dev.standins.server import Answer, StandInServer

NOT_FOUND = Answer(
    {"error": {"message": "Unknown request URL", "type": "invalid_request_error", "code": "unknown_url"}}, 404
)
NO_JSON = Answer(
    {"error": {"message": "We could not parse the JSON body", "type": "invalid_request_error", "code": None}}, 400
)


class ModelStandIn(StandInServer):
    """POST /v1/chat/completions and GET /v1/models."""

    name = "model"

    def __init__(self, log: Path | None = None, delay: float = 0.0, reply: str | None = None) -> None:
        super().__init__(log, delay)
        self.reply = reply
        self.run = secrets.token_hex(4)
        self.numbers = itertools.count(1)

    def answer(self, request: web.BaseRequest, body: Any, text: str | None) -> Answer:
        """Answer as OpenAI does; the model that answers is a dated snapshot of the model asked."""
        if request.method == "GET" and request.path == "/v1/models":
            return Answer({"object": "list", "data": [{"id": "gpt-6-luna", "object": "model", "owned_by": "stand-in"}]})
        if request.method != "POST" or request.path != "/v1/chat/completions":
            return NOT_FOUND
        if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
            return NO_JSON
        said = [str(message.get("content") or "") for message in body["messages"] if message.get("role") == "user"]
        reply = text if text is not None else self.reply
        if reply is None:
            reply = f"Echo: {said[-1] if said else ''}"
        return self.completion(body, reply)

    def completion(self, body: dict[str, Any], reply: str) -> Answer:
        """Return a chat completion with plausible usage: about four characters a token."""
        prompt_tokens = 3 + sum(4 + len(str(message.get("content") or "")) // 4 for message in body["messages"])
        completion_tokens = 1 + len(reply) // 4
        usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
            "prompt_tokens_details": {"cached_tokens": prompt_tokens // 2, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }
        number = f"{self.run}{next(self.numbers):08d}"
        content = {
            "id": f"chatcmpl-{number}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": f"{body.get('model', 'unknown')}-2026-01-01",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": reply, "refusal": None},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": usage,
        }
        return Answer(content, headers={"x-request-id": f"req_{number}"}, id=f"chatcmpl-{number}", billed=usage)

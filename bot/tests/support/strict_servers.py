"""Model servers with a small context and a strict template, played in the process behind the real adapter."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from bot.ai.openai import Client, OpenAIModel

# What a server says of its context; {n} tokens were asked of {window}.
Dialect = Callable[[int, int], tuple[int, dict[str, Any]]]


def with_a_code(n: int, window: int) -> tuple[int, dict[str, Any]]:
    """Return what says it by a code alone."""
    return 400, {"error": {"message": "Too much.", "code": "context_length_exceeded"}}


def with_fields(n: int, window: int) -> tuple[int, dict[str, Any]]:
    """Return what says it as llama.cpp does."""
    message = "the request exceeds the available context size, try increasing it"
    numbers = {"n_prompt_tokens": n, "n_ctx": window}
    return 400, {"error": {"code": 400, "message": message, "type": "exceed_context_size_error", **numbers}}


def in_words(n: int, window: int) -> tuple[int, dict[str, Any]]:
    """Return what says it as vLLM does."""
    message = f"This model's maximum context length is {window} tokens. However, you requested {n} tokens."
    return 400, {"object": "error", "message": message, "type": "BadRequestError", "param": None, "code": 400}


def as_a_failure(n: int, window: int) -> tuple[int, dict[str, Any]]:
    """Return what says it as Ollama does, which tells neither number."""
    return 500, {"error": {"message": "the input length exceeds the context length", "type": "api_error"}}


DIALECTS: tuple[Dialect, ...] = (with_a_code, with_fields, in_words, as_a_failure)


@dataclass
class StrictServer:
    """A server with a context of `window` tokens, of which the answer's cap is a part where `counts_answer`.

    template: "any" order, "alternate" after a system prompt, "no system" role (and alternate). cap_name: the only one
    it knows, if any. bodies: what it was asked; statuses: what it answered with.
    """

    window: int = 1_000_000
    template: str = "any"
    dialect: Dialect = with_fields
    counts_answer: bool = True
    cap_name: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return a status and a body, as the server answers a chat completion."""
        refusal = self._refusal(body)
        if refusal is not None:
            return refusal
        message = {"role": "assistant", "content": "Well, " + body["messages"][-1]["content"].split("\n\n")[-1][-40:]}
        usage = {"prompt_tokens": self._tokens(body), "completion_tokens": 9}
        return 200, {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}

    def _refusal(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        caps = [name for name in ("max_tokens", "max_completion_tokens") if name in body]
        if self.cap_name and caps != [self.cap_name]:
            said = (
                f"Unsupported parameter: '{caps[0]}' is not supported with this model. Use '{self.cap_name}' instead."
            )
            return 400, {"error": {"message": said, "param": caps[0], "code": "unsupported_parameter"}}
        roles = [message["role"] for message in body["messages"]]
        if self.template == "no system" and "system" in roles:
            return 400, {"object": "error", "message": "System role not supported", "code": 400}
        said_by = roles[roles[0] == "system" :]
        if self.template != "any" and said_by != ["user", "assistant"] * (len(said_by) // 2) + ["user"]:
            said = "Conversation roles must alternate user/assistant/user/assistant/..."
            return 500, {"error": {"message": said, "type": "server_error", "code": 500}}
        tokens = self._tokens(body) + (body[caps[0]] if self.counts_answer else 0)
        return self.dialect(tokens, self.window) if tokens > self.window else None

    def _tokens(self, body: dict[str, Any]) -> int:
        return 20 + sum(8 + tokens_of(message["content"]) for message in body["messages"])

    def model(self, **options: Any) -> OpenAIModel:
        """Return the adapter of the real API, connected to this server. It belongs to one event loop."""
        model = OpenAIModel("sk-test", "http://strict.example/v1", **options)
        model.client = Client(
            api_key="sk-test", base_url="http://strict.example/v1", max_retries=0, http_client=_InProcess(self)
        )
        return model


def tokens_of(text: str) -> int:
    """Return how many tokens a small model's tokenizer makes of a text: hard for digits and other scripts."""
    letters = sum(it.isascii() and (it.isalpha() or it == " ") for it in text)
    return letters // 4 + sum(1 if it.isascii() else 2 for it in text) - letters


class _InProcess(httpx2.AsyncClient):
    def __init__(self, server: StrictServer) -> None:
        super().__init__(transport=httpx2.AsyncBaseTransport(), trust_env=False)
        self.server = server

    def build_request(self, method: str, url: Any, **given: Any) -> httpx2.Request:
        extensions = {"timeout": given["timeout"].as_dict()}
        return httpx2.Request(method, url, stream=httpx2.ByteStream(given["content"]), extensions=extensions)

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        body = json.loads(request.read())
        status, answer = self.server.answer(body)
        self.server.bodies.append(body)
        self.server.statuses.append(status)
        return httpx2.Response(status, content=json.dumps(answer).encode(), request=request)

"""The OpenAI API and every server that speaks like it: the only module that imports openai (0.7 s, 44 MB)."""

import asyncio
import json
import math
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx2
import openai
from openai._models import FinalRequestOptions

from bot.channels.text import clean
from bot.errors import AppError, ErrorCode
from bot.llm.answers import read_completion, word
from bot.llm.base import Completion, CompletionRequest, LanguageModel
from bot.llm.effort import Efforts, refuses_effort
from bot.llm.http import LeanClient, with_content
from bot.llm.standing import error_of, is_out_of_money, refusal_of, standing_error

RETRIES = 2
CONNECT_SECONDS = 5.0
# The most turns a worker may run at once: a cap of the connection pool below it would be a queue nobody sees.
CONNECTIONS = 10_000
KEEPALIVE_SECONDS = 30.0
# The SDK insists on a key; servers without keys ignore it.
NO_KEY = "none"
# A head for each deadline, which is shorter for who has waited, and each try.
MOST_HEADS = 16
# Hosts of OpenAI's own models, which refuse the older max_tokens; other servers know only that one.
OPENAI_HOSTS = (".api.openai.com", ".openai.azure.com")


class Client(openai.AsyncOpenAI):
    """The SDK's client, which makes the head of a request once for all that have the same one."""

    _heads: dict[tuple[float | None, int], httpx2.Request] | None = None

    def _build_request(self, options: FinalRequestOptions, *, retries_taken: int = 0) -> httpx2.Request:
        # (Without an idempotency key, as the SDK sends none to this API, a head says nothing of its request.)
        heads = self._heads = self._heads or {}
        key = (options.timeout.read if isinstance(options.timeout, openai.Timeout) else None, retries_taken)
        if (head := heads.get(key)) is not None and self._idempotency_header is None:
            return with_content(head, options.content)
        request = super()._build_request(options, retries_taken=retries_taken)
        if len(heads) < MOST_HEADS:
            heads[key] = request
        return request


class OpenAIModel(LanguageModel):
    """Chat completions of an OpenAI-compatible server."""

    def __init__(self, api_key: str, base_url: str, max_tokens_parameter: str = "auto") -> None:
        """Prepare the client; connections are opened by the first call, in the event loop it runs in.

        max_tokens_parameter: how the server calls the answer's cap; "auto" tells by the host of base_url.
        """
        self.max_tokens_parameter = (
            max_tokens_name(base_url) if max_tokens_parameter == "auto" else max_tokens_parameter
        )
        self._efforts = Efforts(base_url)
        self.client = Client(
            api_key=api_key or NO_KEY,
            base_url=base_url,
            max_retries=RETRIES,
            http_client=LeanClient(
                connections=CONNECTIONS, keepalive_seconds=KEEPALIVE_SECONDS, refused=stop_hopeless_retries
            ),
        )
        # Made once: the SDK would check and copy each of its fields for each call.
        self._options = FinalRequestOptions.construct(method="post", url="/chat/completions")

    async def complete(self, request: CompletionRequest) -> Completion:
        """Return the model's answer within the deadline, retries included.

        Raises:
            AppError: OPENAI_API_ERROR or CONFIGURATION_ERROR; context: status, code and provider_request_id, as known.
        """
        try:
            async with asyncio.timeout(request.deadline_seconds):
                response = await self._ask(request)
        except TimeoutError:
            raise _unavailable("no answer before the deadline", "deadline") from None
        except (openai.OpenAIError, httpx2.HTTPError, aiohttp.ClientError, OSError, ValueError) as error:
            # Without the original: it may hold the key (aiohttp's errors show the request's headers) or the prompt, and
            # tracebacks are logged.
            raise translated(error) from None
        return read_completion(response.content, request, word(response.headers.get("x-request-id")))

    async def _ask(self, request: CompletionRequest) -> httpx2.Response:
        """Return the answer. Where the effort is what is refused, ask once more without, and remember it."""
        effort = self._efforts.of(request.model, request.effort)
        try:
            return await self._post(request, effort)
        except openai.APIStatusError as error:
            if effort is None or not refuses_effort(error.status_code, error.response.content):
                raise
        response = await self._post(request, None)
        self._efforts.leave_out(request.model, effort)
        return response

    async def _post(self, request: CompletionRequest, effort: str | None) -> httpx2.Response:
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [{"role": message.role, "content": clean(message.content)} for message in request.messages],
            self.max_tokens_parameter: request.max_tokens,
        }
        if effort is not None:
            body["reasoning_effort"] = effort
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        timeout = openai.Timeout(request.deadline_seconds, connect=CONNECT_SECONDS)
        # Not chat.completions.create(): checking the request against the SDK's types costs four times the CPU of the
        # whole call, and one process runs hundreds at once.
        return await self.client.request(
            httpx2.Response, self._options.model_copy(update={"content": content, "timeout": timeout})
        )

    async def close(self) -> None:
        """Release connections. Safe to call twice."""
        await self.client.close()


def max_tokens_name(base_url: str) -> str:
    """Return how the server at base_url calls the cap of an answer."""
    host = urlsplit(base_url).hostname or ""
    return "max_completion_tokens" if f".{host}".endswith(OPENAI_HOSTS) else "max_tokens"


def stop_hopeless_retries(response: httpx2.Response) -> None:
    """Tell the SDK, in the header it obeys, not to retry what cannot get better before the deadline.

    A used-up quota is a 429 like any throttling; and a Retry-After beyond the deadline (which is the read time-out of
    each request) would keep a person waiting for nothing.
    """
    hopeless = _seconds(response.headers.get("retry-after")) >= response.request.extensions["timeout"]["read"]
    if not hopeless and response.status_code == 429:
        hopeless = is_out_of_money(error_of(response.content))
    if hopeless:
        response.headers["x-should-retry"] = "false"


def translated(error: Exception) -> AppError:
    """Return a failure of a call in our words, without the library's: they may quote keys and prompts."""
    if isinstance(error, openai.APIStatusError):
        return _refused(error)
    if isinstance(error, openai.APIConnectionError):
        # The SDK reports every lost connection as a time-out; what really happened is two causes down.
        cause = error.__cause__.__cause__ if error.__cause__ else None
        return _unavailable("the model could not be reached", type(cause or error.__cause__ or error).__name__)
    if isinstance(error, ValueError) and not isinstance(error, aiohttp.ClientError):
        detail = "no request can be made of the key and the address that are configured"
        return AppError(ErrorCode.CONFIGURATION_ERROR, detail, context={"code": type(error).__name__})
    # Among them what aiohttp says to an answer that is not HTTP, which the SDK lets through.
    return _unavailable("the answer could not be read", type(error).__name__)


def _refused(error: openai.APIStatusError) -> AppError:
    """Return what an HTTP status means: whose fault it is, and whether another try later can help."""
    status, code = error.status_code, word(error.code)
    context = {"status": status, "code": code, "provider_request_id": word(error.request_id)}
    if (refusal := refusal_of(status, error_of(error.response.content))) is not None:
        return standing_error(refusal, status, context)
    temporary = status in {408, 409, 429} or status >= 500
    return AppError(
        ErrorCode.OPENAI_API_ERROR,
        f"the model API answered with HTTP {status}",
        retryable=temporary,
        context=context,
    )


def _unavailable(detail: str, code: str) -> AppError:
    # (There is no answer, and so no id of the provider's.)
    return AppError(ErrorCode.OPENAI_API_ERROR, detail, retryable=True, context={"status": None, "code": code})


def _seconds(value: str | None) -> float:
    """Return the seconds of a Retry-After header, 0 for its other form (a date) and for nonsense."""
    try:
        seconds = float(value or "")
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0

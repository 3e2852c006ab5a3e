"""The OpenAI API and every server that speaks like it: the only module that imports openai (0.7 s, 44 MB)."""

import asyncio
import json
import logging
import math
from typing import Any

import aiohttp
import httpx2
import openai
from openai._models import FinalRequestOptions

from bot.ai import standing
from bot.ai.answers import read_completion, word
from bot.ai.base import Completion, CompletionRequest, LanguageModel, RefusalKind, RefusedRequest
from bot.ai.effort import Efforts, refuses_effort
from bot.ai.http import LeanClient, with_content
from bot.ai.manners import Manner, max_tokens_name
from bot.ai.refusals import names_unknown_cap, read_refusal, safe_words
from bot.errors import AppError, ErrorCode
from bot.text import clean

logger = logging.getLogger(__name__)

RETRIES = 2
CONNECT_SECONDS = 5.0
# The most turns a worker may run at once: a cap of the connection pool below it would be a queue nobody sees.
CONNECTIONS = 10_000
KEEPALIVE_SECONDS = 30.0
# The SDK insists on a key; servers without keys ignore it.
NO_KEY = "none"
# A head for each deadline, which is shorter for who has waited, and each try.
MOST_HEADS = 16
# What a request's own form or size brings about. Some servers answer it with a status of their own failures.
OF_THE_REQUEST = frozenset({RefusalKind.TOO_LONG, RefusalKind.SYSTEM_ROLE, RefusalKind.ALTERNATION})

# How OpenRouter refuses what its moderation flags.
MODERATED = (403, RefusalKind.FILTERED)


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

        max_tokens_parameter: how the server calls the answer's cap; "auto" tells by the host of base_url, and learns
        from a refusal.
        """
        is_auto = max_tokens_parameter == "auto"
        self._usual = Manner(max_tokens_name(base_url) if is_auto else max_tokens_parameter, cap_is_set=not is_auto)
        # By model. What one server's models are learned to want is few and small.
        self._manners: dict[str, Manner] = {}
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

        What is refused for its form is asked once more in another one, which is remembered when it is accepted.

        Raises:
            RefusedRequest: the server does not take this request, in no form.
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
            raise translated(error, request, self._manner(request.model)) from None
        return read_completion(response.content, request, word(response.headers.get("x-request-id")))

    def _manner(self, model: str) -> Manner:
        return self._manners.get(model, self._usual)

    async def _ask(self, request: CompletionRequest) -> httpx2.Response:
        """Return the answer; what is refused for its manner or its effort is not billed, and asked in another."""
        manner, effort = self._manner(request.model), self._efforts.of(request.model, request.effort)
        refused: str | None = None
        while True:
            try:
                response = await self._post(request, manner, effort)
            except openai.APIStatusError as error:
                if effort is not None and refuses_effort(error.status_code, error.response.content):
                    refused, effort = effort, None
                    continue
                better = manner.after(read_refusal(error.status_code, error.response.content))
                if better is None:
                    raise
                manner = better
            else:
                self._learn(request.model, manner, refused)
                return response

    def _learn(self, model: str, manner: Manner, refused: str | None) -> None:
        """Remember how a model was asked that has answered, and which effort it refused."""
        if refused is not None:
            self._efforts.leave_out(model, refused)
        if manner != self._manner(model):
            self._manners[model] = manner
            facts = {"model": model, "cap_name": manner.cap_name, "folds_system": manner.folds_system}
            logger.info("model_manner_learned", extra=facts)

    async def _post(self, request: CompletionRequest, manner: Manner, effort: str | None) -> httpx2.Response:
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [
                {"role": message.role, "content": clean(message.content)} for message in manner.order(request.messages)
            ],
            manner.cap_name: request.max_tokens,
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


def stop_hopeless_retries(response: httpx2.Response) -> None:
    """Tell the SDK, in the header it obeys, not to retry what cannot get better before the deadline.

    A used-up quota is a 429 like any throttling; what a request's own size or form brings about is a 500 on some
    servers; and a Retry-After beyond the deadline (which is the read time-out of each request) would keep a person
    waiting for nothing.
    """
    hopeless = _seconds(response.headers.get("retry-after")) >= response.request.extensions["timeout"]["read"]
    if not hopeless and (response.status_code == 429 or response.status_code >= 500):
        refusal, error = read_refusal(response.status_code, response.content), standing.error_of(response.content)
        is_spent = response.status_code == 429 and standing.is_out_of_money(error)
        hopeless = refusal.kind in OF_THE_REQUEST or is_spent
    if hopeless:
        response.headers["x-should-retry"] = "false"


def translated(error: Exception, request: CompletionRequest, manner: Manner) -> AppError:
    """Return a failure of a call in our words, without the library's: they may quote keys and prompts."""
    if isinstance(error, openai.APIStatusError):
        return _refused(error, request, manner)
    if isinstance(error, openai.APIConnectionError):
        # The SDK reports every lost connection as a time-out; what really happened is two causes down.
        cause = error.__cause__.__cause__ if error.__cause__ else None
        return _unavailable("the model could not be reached", type(cause or error.__cause__ or error).__name__)
    if isinstance(error, ValueError) and not isinstance(error, aiohttp.ClientError):
        detail = "no request can be made of the key and the address that are configured"
        return AppError(ErrorCode.CONFIGURATION_ERROR, detail, context={"code": type(error).__name__})
    # Among them what aiohttp says to an answer that is not HTTP, which the SDK lets through.
    return _unavailable("the answer could not be read", type(error).__name__)


def _refused(error: openai.APIStatusError, request: CompletionRequest, manner: Manner) -> AppError:
    """Return what an HTTP status and its words mean: whose fault it is, and whether another try later can help."""
    status, refusal = error.status_code, read_refusal(error.status_code, error.response.content)
    context = {"status": status, "code": word(error.code), "provider_request_id": word(error.request_id)}
    if status not in {401, 403} and (words := safe_words(refusal.message, request.messages)):
        context["provider_words"] = words
    if status < 500 and status != 429 and manner.cap_is_set and names_unknown_cap(refusal, manner.cap_name):
        detail = f"the model API does not know {manner.cap_name}: OPENAI_MAX_TOKENS_PARAMETER names another"
        return AppError(ErrorCode.CONFIGURATION_ERROR, detail, context=context)
    if (lasting := _standing(status, refusal.kind, error.response.content)) is not None:
        return standing.standing_error(lasting, status, context)
    detail = f"the model API answered with HTTP {status}"
    if refusal.kind in OF_THE_REQUEST or status in {400, 413, 422} or (status, refusal.kind) == MODERATED:
        return RefusedRequest(refusal.kind, detail, context, window=refusal.window)
    temporary = status in {408, 409, 429} or status >= 500
    return AppError(ErrorCode.OPENAI_API_ERROR, detail, retryable=temporary, context=context)


def _standing(status: int, kind: RefusalKind, raw: bytes) -> standing.Refusal | None:
    """Return what is refused until an operator acts: by its codes, else by its words."""
    if kind is RefusalKind.FILTERED:
        return None
    lasting = standing.refusal_of(status, standing.error_of(raw))
    if lasting is None and status < 500 and status != 429:
        return {RefusalKind.UNKNOWN_MODEL: standing.Refusal.MODEL, RefusalKind.ACCOUNT: standing.Refusal.KEY}.get(kind)
    return lasting


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

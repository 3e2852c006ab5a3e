"""Read the body of a chat completion: pure functions from bytes to a Completion, suspicious of every field.

Compatible servers differ: content as a list of parts, no usage, an error inside a 200.
"""

import json
import re
from typing import Any

from bot.channels.text import clean
from bot.errors import AppError, ErrorCode
from bot.llm.base import Completion, CompletionRequest, EmptyCompletion
from bot.llm.tokens import most_prompt_tokens, most_tokens

# No reply is longer than a few messages: a model that runs wild must not fill the database or a person's phone.
LONGEST_ANSWER = 32_000
LARGEST_COUNT = 1_000_000_000

# Codes and ids of providers go to the log: only what looks like one, for a text could be anything.
_WORD = re.compile(r"[\w.:/-]{1,100}", re.ASCII)


def word(value: Any) -> str:
    """Return a provider's code, id or model name as far as it is one, else an empty string."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if _WORD.fullmatch(text) else ""


def read_completion(raw: bytes, request: CompletionRequest, request_id: str) -> Completion:
    """Return the completion in a 200's body.

    Raises:
        EmptyCompletion: there is no answer in it, but it is billed.
        AppError: OPENAI_API_ERROR when it is no chat completion.
    """
    body = _parsed(raw, request_id)
    choice = _first_choice(body, request_id)
    message = choice.get("message")
    text = _text(message) if isinstance(message, dict) else ""
    # Stripped before it is cut, so that no amount of padding hides an answer.
    answer = clean(text).strip()
    completion = _completion(body, answer, request, request_id)
    if not answer:
        raise _no_answer(choice, completion)
    return completion


def _parsed(raw: bytes, request_id: str) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise _not_understood("the answer is not a JSON object", "not_json", request_id)
    return body


def _first_choice(body: dict[str, Any], request_id: str) -> dict[str, Any]:
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if isinstance(choice, dict):
        return choice
    # Some gateways report the failure of what lies behind them with a 200.
    error = body.get("error")
    code = word(error.get("code")) if isinstance(error, dict) else ""
    raise _not_understood("the answer has no choices", code or "no_choices", request_id)


def _not_understood(detail: str, code: str, request_id: str) -> AppError:
    context = {"status": 200, "code": code, "provider_request_id": request_id}
    return AppError(ErrorCode.OPENAI_API_ERROR, detail, retryable=True, context=context)


def _text(message: dict[str, Any]) -> str:
    """Return what the model says: its content, else its refusal."""
    content = message.get("content")
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        content = "".join(text for text in texts if isinstance(text, str))
    if isinstance(content, str) and content:
        return content
    refusal = message.get("refusal")
    return refusal if isinstance(refusal, str) else ""


def _completion(body: dict[str, Any], answer: str, request: CompletionRequest, request_id: str) -> Completion:
    """Return the completion; a count of tokens that is missing or impossible is taken for the most it can be.

    What is not told is billed all the same, and budgets have to count at least that.
    """
    usage = body.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    details = usage.get("prompt_tokens_details")
    input_tokens = _count(usage.get("prompt_tokens")) or most_prompt_tokens(request.messages)
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else 0
    longest = min(most_tokens(answer), request.max_tokens)
    return Completion(
        text=answer[:LONGEST_ANSWER],
        model=word(body.get("model")) or request.model,
        input_tokens=input_tokens,
        output_tokens=_count(usage.get("completion_tokens")) or longest,
        cached_input_tokens=min(cached, input_tokens),
        request_id=request_id or word(body.get("id")),
    )


def _count(value: Any) -> int:
    """Return a number of tokens, 0 when it is none."""
    return value if type(value) is int and 0 < value <= LARGEST_COUNT else 0


def _no_answer(choice: dict[str, Any], billed: Completion) -> EmptyCompletion:
    reason = word(choice.get("finish_reason"))
    detail = {
        "length": "the answer's cap was used up before a word of it was written (by reasoning)",
        "content_filter": "the provider withheld the answer",
    }.get(reason, "the answer is empty")
    return EmptyCompletion(
        billed,
        detail,
        f"empty_{reason}" if reason else "empty",
        # The same cap and the same filter would strike again, and be billed again.
        retryable=reason not in {"length", "content_filter"},
    )

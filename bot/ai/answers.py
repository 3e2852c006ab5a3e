"""Read the body of a chat completion: pure functions from bytes to a Completion, suspicious of every field.

Compatible servers differ: content as a list of parts, reasoning within it, no usage, an error inside a 200, a stream.
"""

import json
import re
from typing import Any

from bot.ai.base import Completion, CompletionRequest, EmptyCompletion
from bot.ai.counts import read_usage, reasoning_tokens
from bot.ai.finish import end_cut, ending
from bot.ai.spoken import spoken
from bot.ai.streamed import is_stream, joined
from bot.ai.tokens import most_prompt_tokens, most_tokens
from bot.errors import AppError, ErrorCode
from bot.text import clean

# No reply is longer than a few messages: a model that runs wild must not fill the database or a person's phone.
LONGEST_ANSWER = 32_000
BROKEN_OFF = "the model API failed within the answer"

# Codes and ids of providers go to the log: only what looks like one, for a text could be anything.
_WORD = re.compile(r"[\w.:/-]{1,100}", re.ASCII)
# Types of content parts that are said. Others are reasoning, calls of tools, or not known.
_SAID = (None, "text", "output_text")


def word(value: Any) -> str:
    """Return a provider's code, id or model name as far as it is one, else an empty string."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return text if _WORD.fullmatch(text) else ""


def read_completion(raw: bytes, request: CompletionRequest, request_id: str) -> Completion:
    """Return the completion in a 200's body.

    Raises:
        EmptyCompletion: there is no answer in it, or the half of one that failed, but it is billed.
        AppError: OPENAI_API_ERROR when it is no chat completion.
    """
    body = _parsed(raw, request_id)
    choice = _first_choice(body, request_id)
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    error, written = _error(body, choice), _written(message)
    if error and not written and not _usage(body, choice):
        raise _not_understood(BROKEN_OFF, error, request_id)
    answer = "" if error else _answer(message, choice, body)
    completion = _completion(body, choice, answer, written, request, request_id)
    if error:
        raise EmptyCompletion(completion, BROKEN_OFF, error, retryable=True)
    if not completion.text:
        raise _no_answer(choice, completion)
    return completion


def _parsed(raw: bytes, request_id: str) -> dict[str, Any]:
    try:
        # (Models cut within a letter, and servers pass line breaks on as they are.)
        body = joined(raw) if is_stream(raw) else json.loads(_decoded(raw), strict=False)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise _not_understood("the answer is not a JSON object", "not_json", request_id)
    return body


def _decoded(raw: bytes) -> str:
    return raw.decode(json.detect_encoding(raw), "replace")


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


def _error(body: dict[str, Any], choice: dict[str, Any]) -> str:
    """Return the code of the error that an answer broke off with, empty when there was none."""
    reason, own = choice.get("finish_reason"), choice.get("error")
    # Beside a choice that ended well an error is another's: of a fallback, of an earlier try.
    error = own if own else None if reason and ending(reason) == "whole" else body.get("error")
    if error:
        return (word(error.get("code")) if isinstance(error, dict) else "") or "error"
    return word(reason) if ending(reason) == "failed" else ""


def _answer(message: dict[str, Any], choice: dict[str, Any], body: dict[str, Any]) -> str:
    """Return what the model says: its content, else its refusal; empty when it is withheld."""
    content = _text(message.get("content"))
    # Cleaned and stripped before it is cut, so that no amount of padding hides an answer.
    answer = spoken(clean(content))
    if answer and ending(choice.get("finish_reason")) == "withheld":
        return ""
    refusal = message.get("refusal")
    if not content and isinstance(refusal, str):
        answer = spoken(clean(refusal))
    return answer or spoken(clean(_misplaced(message, choice, body)))


def _text(content: Any) -> str:
    """Return the text of a message's content: the parts that are said where it is a list of them, or one."""
    if isinstance(content, dict):
        return _part_text(content)
    if isinstance(content, list):
        return "".join(part if isinstance(part, str) else _part_text(part) for part in content)
    return content if isinstance(content, str) else ""


def _part_text(part: Any) -> str:
    if not isinstance(part, dict) or part.get("thought"):
        return ""
    kind = part.get("type")
    text = part.get("refusal") if kind == "refusal" else part.get("text") if kind in _SAID else ""
    return text if isinstance(text, str) else ""


def _misplaced(message: dict[str, Any], choice: dict[str, Any], body: dict[str, Any]) -> str:
    """Return an answer that the server took for reasoning.

    Servers split at the tag that ends reasoning; a model that was asked not to reason writes none, and all it says is
    taken for reasoning: content is null although the model ended by itself. An empty content is no such sign, and
    neither is reasoning that the server counts: that was reasoning.
    """
    ended = choice.get("finish_reason") == "stop" and not message.get("tool_calls")
    if not ended or message.get("content") is not None or reasoning_tokens(_usage(body, choice)):
        return ""
    text = message.get("reasoning_content")
    return text if isinstance(text, str) else ""


def _written(message: dict[str, Any]) -> str:
    """Return all that the model wrote, reasoning included: what is billed."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    texts = [
        part.get("text") or part.get("thinking") or part.get("refusal") if isinstance(part, dict) else part
        for part in parts
    ]
    texts += [message.get(name) for name in ("refusal", "reasoning_content", "reasoning")]
    return "".join(text if isinstance(text, str) else _nested(text) for text in texts)


def _nested(parts: Any) -> str:
    texts = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return "".join(text for text in texts if isinstance(text, str))


def _completion(
    body: dict[str, Any], choice: dict[str, Any], answer: str, written: str, request: CompletionRequest, request_id: str
) -> Completion:
    """Return the completion; a count of tokens that is missing or impossible is taken for the most it can be.

    What is not told is billed all the same, and budgets have to count at least that.
    """
    counts = read_usage(_usage(body, choice))
    reason = choice.get("finish_reason")
    is_cut = bool(answer) and (ending(reason) == "cut" or len(answer) > LONGEST_ANSWER)
    return Completion(
        text=end_cut(answer, LONGEST_ANSWER) if is_cut else answer,
        model=word(body.get("model")) or request.model,
        input_tokens=counts.input or most_prompt_tokens(request.messages),
        output_tokens=counts.output or min(most_tokens(written), request.max_tokens),
        cached_input_tokens=counts.cached,
        request_id=request_id or word(body.get("id")),
        cache_write_tokens=counts.cache_writes,
        finish_reason=word(reason),
        is_cut=is_cut,
    )


def _usage(body: dict[str, Any], choice: dict[str, Any]) -> Any:
    # (Moonshot tells it in the choice when it streams.)
    return body.get("usage") or choice.get("usage")


def _no_answer(choice: dict[str, Any], billed: Completion) -> EmptyCompletion:
    reason = word(choice.get("finish_reason"))
    end = ending(reason)
    detail = {
        "cut": "the answer's cap was used up before a word of it was written (by reasoning)",
        "withheld": "the provider withheld the answer",
    }.get(end, "the answer is empty")
    return EmptyCompletion(
        billed,
        detail,
        f"empty_{reason}" if reason else "empty",
        # The same cap and the same filter would strike again, and be billed again.
        retryable=end == "whole",
    )

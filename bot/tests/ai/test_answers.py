"""Bodies of chat completions: where the answer is in them, whether it is whole, and when there is none."""

from typing import Any

import pytest

from bot.ai.answers import LONGEST_ANSWER
from bot.ai.base import EmptyCompletion
from bot.tests.ai.bodies import USAGE, body, failure, read

HALF = "The roses need a lot of light, and in winter you"


# --- where the answer is ---


@pytest.mark.parametrize(
    ("label", "content"),
    [
        ("reasoning", [{"type": "reasoning", "text": "private "}, {"type": "text", "text": "Hello!"}]),
        ("thinking", [{"type": "thinking", "thinking": [{"type": "text", "text": "private"}]}, {"text": "Hello!"}]),
        ("thinking with a text", [{"type": "thinking", "text": "private"}, {"type": "output_text", "text": "Hello!"}]),
        ("a summary", [{"type": "reasoning_summary", "text": "private"}, "Hello!"]),
        ("Gemini's thoughts", [{"text": "private", "thought": True}, {"text": "Hello!"}]),
        ("an odd type", [{"type": {}, "text": "private"}, {"type": "text", "text": "Hello!"}]),
        ("one part", {"type": "text", "text": "Hello!"}),
        ("a refusal", [{"type": "reasoning", "text": "private"}, {"type": "refusal", "refusal": "Hello!"}]),
        ("tags over parts", [{"text": "<think>private"}, {"text": "</think>Hello!"}]),
    ],
)
def test_of_a_list_of_parts_only_what_is_said_is_the_answer(label: str, content: Any) -> None:
    assert read(body({"content": content})).text == "Hello!", label


def test_parts_of_reasoning_alone_are_billed_and_no_answer() -> None:
    error = failure(body({"content": [{"type": "reasoning", "text": "private"}]}))
    assert isinstance(error, EmptyCompletion)
    assert (error.completion.text, error.completion.output_tokens) == ("", 10)


def test_an_answer_that_the_server_took_for_reasoning_is_an_answer() -> None:
    assert read(body({"content": None, "reasoning_content": "Hello!"})).text == "Hello!"
    assert read(body({"reasoning_content": "private</think>Hello!"})).text == "Hello!"


COUNTED = {"usage": {**USAGE, "completion_tokens_details": {"reasoning_tokens": 10}}}


@pytest.mark.parametrize(
    ("label", "answer"),
    [
        ("cut while it reasons", body({"content": None, "reasoning_content": "private"}, "length")),
        ("a content that is empty", body({"content": "", "reasoning_content": "private"})),
        ("thoughts twice", body({"content": "<think>private</think>", "reasoning_content": "private"})),
        ("a call of a tool", body({"content": None, "reasoning_content": "private", "tool_calls": [{}]})),
        ("reasoning by the count", body({"content": None, "reasoning_content": "private"}, **COUNTED)),
        ("another field", body({"content": None, "reasoning": "private"})),
        ("tags alone", body({"content": None, "reasoning_content": "<think>private</think>"})),
    ],
)
def test_reasoning_is_no_answer(label: str, answer: dict[str, Any]) -> None:
    assert isinstance(failure(answer), EmptyCompletion), label


def test_reasoning_beside_an_answer_is_left_out() -> None:
    assert read(body({"content": "Hello!", "reasoning_content": "private", "reasoning": "private"})).text == "Hello!"
    assert read(body({"content": None, "refusal": "No.", "reasoning_content": "private"})).text == "No."


# --- whether it is whole ---

# (Cohere, Bedrock's proxies, Anthropic, TGI, Vertex.)
CUT_ELSEWHERE = ["ERROR_LIMIT", "maxTokens", "max-tokens", "pause_turn", "max_new_tokens", "FINISH_REASON_MAX_TOKENS"]


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "model_length", *CUT_ELSEWHERE])
def test_an_answer_that_was_cut_says_so(reason: str) -> None:
    completion = read(body({"content": f"Water them daily. They like light. {HALF}"}, reason))
    assert completion.text == f"Water them daily. They like light. {HALF}…"
    assert (completion.is_cut, completion.finish_reason) == (True, reason)


@pytest.mark.parametrize("reason", ["guardrail_intervened", "content-filter", "refusal", "ERROR_TOXIC", "IMAGE_SAFETY"])
def test_what_is_withheld_under_any_word_is_not_sent(reason: str) -> None:
    error = failure(body({"content": HALF}, reason))
    assert isinstance(error, EmptyCompletion)
    assert not error.retryable


@pytest.mark.parametrize("reason", ["inference_error", "USER_CANCEL", "UNEXPECTED_TOOL_CALL"])
def test_an_answer_that_failed_under_any_word_is_asked_for_again(reason: str) -> None:
    assert failure(body({"content": HALF}, reason)).retryable


@pytest.mark.parametrize(
    "raw",
    [
        b'{"choices": [{"message": {"content": "Hello,\nyou"}, "finish_reason": "stop"}]}',
        b'{"choices": [{"message": {"content": "Hello,\nyou\xf0\x9f"}, "finish_reason": "stop"}]}',
    ],
)
def test_line_breaks_and_half_letters_do_not_make_an_answer_unreadable(raw: bytes) -> None:
    assert read(raw).text.startswith("Hello,\nyou")


@pytest.mark.parametrize("reason", ["stop", "end_turn", "eos", None, "", 7, {}])
def test_a_whole_answer_stays_as_it_is(reason: Any) -> None:
    completion = read(body({"content": HALF}, reason))
    assert (completion.text, completion.is_cut) == (HALF, False)


def test_an_answer_that_is_too_long_for_us_is_cut_as_one() -> None:
    completion = read(body({"content": "One more sentence. " * 2_000}))
    assert completion.is_cut
    assert completion.text.endswith("One more sentence. …")
    assert LONGEST_ANSWER - 30 < len(completion.text) <= LONGEST_ANSWER


# --- when there is none ---


@pytest.mark.parametrize(
    ("label", "answer", "code", "retryable"),
    [
        ("an error in the choice", {"choices": [{"message": {"content": HALF}, "finish_reason": "error",
         "error": {"code": 502, "message": "secret words"}}], "usage": USAGE}, "502", True),
        ("an error in a choice that ended", {"choices": [{"message": {"content": HALF}, "finish_reason": "stop",
         "error": {"message": "secret words"}}]}, "error", True),
        ("an error beside it", body({"content": HALF}, "error", error={"code": "overloaded"}), "overloaded", True),
        ("an error beside half of it", body({"content": HALF}, None, error={"code": "x y"}), "error", True),
        ("an error in a word", body({"content": HALF}, "insufficient_system_resource"),
         "insufficient_system_resource", True),
        ("withheld half way", body({"content": HALF}, "content_filter"), "empty_content_filter", False),
        ("withheld by Gemini", body({"content": HALF}, "SAFETY"), "empty_SAFETY", False),
    ],
)  # fmt: skip
def test_half_an_answer_that_failed_is_none_but_billed(
    label: str, answer: dict[str, Any], code: str, retryable: bool
) -> None:
    error = failure(answer)
    assert isinstance(error, EmptyCompletion), label
    assert (error.context["code"], error.retryable) == (code, retryable), label
    assert (error.completion.text, error.completion.output_tokens > 0) == ("", True), label
    assert "secret words" not in str(error) + repr(error.context), label


def test_an_error_without_a_word_or_usage_is_not_billed() -> None:
    error = failure({"choices": [{"message": {"content": ""}, "finish_reason": "error"}]})
    assert not isinstance(error, EmptyCompletion)
    assert (error.context["code"], error.retryable) == ("error", True)


def test_an_error_beside_an_answer_that_ended_is_not_its_own() -> None:
    assert read(body({"content": "Hello!"}, error={"code": "fallback"})).text == "Hello!"
    assert read(body({"content": "Hello!"}, error=None)).text == "Hello!"

"""Bodies of chat completions: where the answer is in them, whether it is whole, and when there is none."""

import json
from typing import Any

import pytest

from bot.ai.answers import LONGEST_ANSWER, read_completion
from bot.ai.base import ChatMessage, Completion, CompletionRequest, EmptyCompletion
from bot.ai.finish import end_cut
from bot.errors import AppError, ErrorCode

REQUEST = CompletionRequest("house", (ChatMessage("user", "Hello"),), 500, 20)
USAGE = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
HALF = "The roses need a lot of light, and in winter you"


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


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("One is here. Two is here. Three", "One is here. Two is here. …"),
        ("One is here. Two is here.", "One is here. Two is here. …"),
        ("Ist das so? Ja, das ist", "Ist das so? Ja, das ist…"),
        ("1. Water them\n2. Feed them\n3. Cut", "1. Water them\n2. Feed them …"),
        ("バラは光が必要です。冬には", "バラは光が必要です。 …"),
        (HALF, f"{HALF}…"),
        ("Once, upon,", "Once, upon…"),
        ("Here:\n```py\nx = 1\ny =", "Here:\n```py\nx = 1\ny =\n```\n…"),
        ("It costs 3.50 and then. It", "It costs 3.50 and then. …"),
        ("", "…"),
    ],
)
def test_what_was_cut_ends_where_a_reader_would_pause(text: str, ended: str) -> None:
    assert end_cut(text, 100) == ended


@pytest.mark.parametrize("text", ["word " * 50, "a" * 200, "```" + "b " * 90, "One. " * 60, "一" * 300, "x\n" * 100])
def test_what_was_cut_is_never_longer_than_it_may_be(text: str) -> None:
    for longest in range(20, 120):
        assert len(end_cut(text, longest)) <= longest


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


# --- a stream nobody asked for ---


def chunk(finish_reason: Any = None, usage: Any = None, **delta: Any) -> str:
    event = {"id": "1", "model": "odd-1", "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}
    return f"data: {json.dumps({**event, 'usage': usage}, ensure_ascii=False)}\n\n"


DONE = "data: [DONE]\n\n"


@pytest.mark.parametrize(
    ("label", "stream"),
    [
        ("as OpenAI does", chunk(role="assistant", content="") + chunk(content="Hel") + chunk(content="lo!")
         + chunk("stop") + f'data: {json.dumps({"choices": [], "usage": USAGE})}\n\n' + DONE),
        ("with what it is for", ": keep-alive\n\n" + chunk(content="Hel") + "event: message\n"
         + chunk("stop", USAGE, content="lo!") + DONE),
        ("with other line ends", (chunk(content="Hello!") + chunk("stop", USAGE) + DONE).replace("\n", "\r\n")),
        ("with a byte order mark", "\ufeff" + chunk("stop", USAGE, content="Hello!") + DONE),
        ("with reasoning", chunk(reasoning_content="private") + chunk(content="<think>so</think>Hello!")
         + chunk("stop", USAGE) + DONE),
        ("with Mistral's thoughts", chunk(content=[{"type": "thinking", "thinking": [{"text": "private"}]}])
         + chunk(content="Hello!") + chunk("stop", USAGE) + DONE),
        ("with usage in the choice", chunk(content="Hello!") + DONE.replace("[DONE]", json.dumps(
            {"choices": [{"delta": {}, "finish_reason": "stop", "usage": USAGE}]})) + DONE),
        ("with comments that begin at once", ":keep-alive\n\n" + chunk("stop", USAGE, content="Hello!") + DONE),
        ("with several lines to an event",
         f"data: {json.dumps(body({'content': 'Hello!'}), indent=1)}".replace("\n", "\ndata: ") + "\n\n" + DONE),
        ("with other choices", 'data: {"choices": [{"index": 1, "delta": {"content": "Bye!"}}]}\n\n'
         + chunk("stop", USAGE, content="Hello!") + DONE),
        ("with usage in two events", chunk(usage={"prompt_tokens": 20}, content="Hello!")
         + chunk("stop", {"completion_tokens": 10}) + DONE),
        ("without an end", chunk("stop", USAGE, content="Hello!")),
        ("in one event", f"data: {json.dumps(body({'content': 'Hello!'}))}\n\n"),
    ],
)  # fmt: skip
def test_a_stream_is_read_as_an_answer(label: str, stream: str) -> None:
    completion = read(stream)
    assert (completion.text, completion.is_cut, completion.finish_reason) == ("Hello!", False, "stop"), label
    assert (completion.input_tokens, completion.output_tokens) == (20, 10), label


def test_a_stream_keeps_the_line_separators_of_a_text() -> None:
    assert read(chunk("stop", content="a\u2028b\x85c\nd") + DONE).text == "a\u2028bc\nd"


def test_halves_of_a_character_in_two_events_are_one() -> None:
    halves = [f'data: {{"choices": [{{"delta": {{"content": "{half}"}}}}]}}\n\n' for half in ("\\ud83d", "\\ude00")]
    assert read("".join(halves) + DONE).text == "😀"


def test_a_stream_that_breaks_off_was_cut() -> None:
    completion = read(chunk(content=HALF))
    assert (completion.text, completion.is_cut) == (f"{HALF}…", True)


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (chunk(content=HALF) + 'data: {"error": {"code": 502, "message": "secret words"}}\n\n', "502"),
        ('data: {"error": {"code": "overloaded"}}\n\n', "overloaded"),
        (chunk("stop") + DONE, "empty_stop"),
        (chunk(reasoning_content="private", content=None) + chunk("length") + DONE, "empty_length"),
        ("data: \n\ndata: {\n\ndata: 7\n\n", "not_json"),
        (DONE, "not_json"),
        ("data", "not_json"),
    ],
)
def test_a_stream_without_an_answer_is_an_error(stream: str, code: str) -> None:
    assert failure(stream).context["code"] == code

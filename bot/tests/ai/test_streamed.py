"""An answer that was streamed is read as any other."""

import json
from typing import Any

import pytest

from bot.tests.ai.bodies import USAGE, body, failure, read

HALF = "The roses need a lot of light, and in winter you"


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

"""The OpenAI adapter against a real HTTP server that misbehaves in every way a provider has been seen to."""

import asyncio
import socket
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from bot.ai.answers import LONGEST_ANSWER
from bot.ai.base import (
    ChatMessage,
    Completion,
    CompletionRequest,
    EmptyCompletion,
    RefusalKind,
    RefusedRequest,
)
from bot.ai.breaker import is_outage
from bot.ai.openai import OpenAIModel
from bot.ai.tokens import most_prompt_tokens
from bot.dev.standins import StandIn
from bot.errors import AppError, ErrorCode
from bot.tests.ai.calling import KEY, PROMPT, SECRET_TEXT, ask, failure

pytestmark = pytest.mark.promise("deadline")

COMPLETE = {
    "id": "chatcmpl-1",
    "model": "gpt-6-luna-2026-01-01",
    "choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
}


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start("model") as stand_in:
        yield stand_in


@pytest.fixture
def api(running: StandIn) -> StandIn:
    running.reset()
    return running


def answer(**changes: Any) -> dict[str, Any]:
    return {"json": {**COMPLETE, **changes}}


def choice(finish_reason: Any = "stop", **message: Any) -> dict[str, Any]:
    return answer(choices=[{"message": {"role": "assistant", **message}, "finish_reason": finish_reason}])


def refusal(
    status: int, code: str | None = None, kind: str = "invalid_request_error", **headers: str
) -> dict[str, Any]:
    # OpenAI quotes part of the key in its own message; others quote the prompt.
    error = {"message": f"Incorrect API key provided: {KEY}. {SECRET_TEXT}", "type": kind, "param": None, "code": code}
    return {"status": status, "json": {"error": error}, "headers": {"x-request-id": "req_7", **headers}}


def test_a_completion_has_the_answer_the_tokens_and_who_gave_it(api: StandIn) -> None:
    api.script([{**answer(), "status": 200, "headers": {"x-request-id": "req_7"}}])
    assert ask(api.url) == Completion(
        text="Hello",
        model="gpt-6-luna-2026-01-01",
        input_tokens=9,
        output_tokens=2,
        cached_input_tokens=4,
        request_id="req_7",
        finish_reason="stop",
    )


def test_what_is_asked_goes_out_with_the_key_and_without_control_characters(api: StandIn) -> None:
    prompt = (
        ChatMessage("system", "Be kind"),
        ChatMessage("assistant", "Hi"),
        ChatMessage("user", "a\x00b\ud800c\n👋🏽"),
    )
    assert ask(api.url, prompt=prompt).text == "Echo: abc\n👋🏽"
    (request,) = api.requests()
    assert request["path"] == "/v1/chat/completions"
    assert request["authorized"] is True
    assert request["body"] == {
        "model": "gpt-6-luna",
        "messages": [
            {"role": "system", "content": "Be kind"},
            {"role": "assistant", "content": "Hi"},
            {"role": "user", "content": "abc\n👋🏽"},
        ],
        "max_tokens": 500,
    }


@pytest.mark.parametrize(
    ("label", "behaviour", "text"),
    [
        ("padding and control characters", choice(content="\n\x00 Hel\x1blo \r\n\ud800"), "Hello"),
        ("a list of parts", choice(content=[{"type": "text", "text": "Hel"}, {"text": "lo"}, 7, {"text": 7}]), "Hello"),
        ("a refusal", choice(content=None, refusal="I can't help with that."), "I can't help with that."),
        ("a cut answer", choice("length", content="Once upon a"), "Once upon a…"),
        ("one byte at a time", {**answer(), "drip": 0.001}, "Hello"),
        ("late", {**answer(), "delay": 0.3}, "Hello"),
    ],
)
def test_unusual_answers_are_answers(api: StandIn, label: str, behaviour: dict[str, Any], text: str) -> None:
    api.script([behaviour])
    assert ask(api.url).text == text, label


def test_a_megabyte_is_cut_and_billed_as_it_was(api: StandIn) -> None:
    api.script([choice(content="word " * 200_000)])
    completion = ask(api.url)
    assert len(completion.text) == LONGEST_ANSWER
    assert completion.output_tokens == 2


@pytest.mark.parametrize(
    ("label", "usage"),
    [
        ("missing", None),
        ("no object", "9"),
        ("empty", {}),
        ("impossible", {"prompt_tokens": -1, "completion_tokens": True, "prompt_tokens_details": None}),
        (
            "not numbers",
            {"prompt_tokens": "9 or so", "completion_tokens": 1.5, "prompt_tokens_details": {"cached_tokens": []}},
        ),
        ("beyond belief", {"prompt_tokens": 10**30, "completion_tokens": 10**30}),
    ],
)
def test_usage_that_is_not_told_is_taken_for_the_most_it_can_be(api: StandIn, label: str, usage: Any) -> None:
    api.script([answer(usage=usage)])
    completion = ask(api.url)
    assert completion.input_tokens == most_prompt_tokens(PROMPT), label
    assert (completion.output_tokens, completion.cached_input_tokens) == (len("Hello"), 0), label


def test_cached_tokens_are_never_more_than_there_were(api: StandIn) -> None:
    api.script(
        [answer(usage={"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 9}})]
    )
    assert ask(api.url).cached_input_tokens == 5


@pytest.mark.parametrize("model", [None, "", 7, "x" * 200, "a\nb", {}])
def test_a_model_that_does_not_say_its_name_has_the_one_that_was_asked(api: StandIn, model: Any) -> None:
    api.script([answer(model=model)])
    assert ask(api.url).model in {"gpt-6-luna", str(model)}


# --- no answer ---


@pytest.mark.parametrize(
    ("label", "behaviour", "code"),
    [
        ("garbage", {"raw": "garbage"}, "not_json"),
        ("garbage that claims to be JSON", {"raw": "{", "headers": {"Content-Type": "application/json"}}, "not_json"),
        ("nothing", {"empty": True}, "not_json"),
        ("nesting", {"raw": "[" * 100_000}, "not_json"),
        ("a list", {"json": []}, "not_json"),
        ("a text", {"json": "Hello"}, "not_json"),
        ("no choices", answer(choices=None), "no_choices"),
        ("empty choices", answer(choices=[]), "no_choices"),
        ("choices that are none", answer(choices=["Hello"]), "no_choices"),
        ("an error inside a 200", {"json": {"error": {"code": 503, "message": SECRET_TEXT}}}, "503"),
        ("an error with a text for a code", {"json": {"error": {"code": SECRET_TEXT}}}, "no_choices"),
        ("no message", answer(choices=[{"finish_reason": None}]), "empty"),
        ("no content", choice(content=None), "empty_stop"),
        ("content that is none", choice(content=7), "empty_stop"),
        ("white space", choice(content=" \n\x00"), "empty_stop"),
        ("a tool call", choice("tool_calls", content=None, tool_calls=[{}]), "empty_tool_calls"),
        ("an odd reason", choice({}, content=""), "empty"),
    ],
)
def test_a_200_without_an_answer_is_an_error_worth_a_retry(
    api: StandIn, label: str, behaviour: dict[str, Any], code: str
) -> None:
    api.script([behaviour])
    error = failure(api.url)
    assert (error.code, error.context["code"], error.retryable) == (ErrorCode.OPENAI_API_ERROR, code, True), label
    assert len(api.requests()) == 1, label


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_an_answer_that_was_used_up_or_withheld_is_billed_and_not_asked_again(api: StandIn, reason: str) -> None:
    api.script([choice(reason, content="")])
    error = failure(api.url)
    assert error.retryable is False
    assert error.context == {
        "status": 200,
        "code": f"empty_{reason}",
        "provider_request_id": "chatcmpl-1",
        "model": "gpt-6-luna-2026-01-01",
    }
    assert isinstance(error, EmptyCompletion)
    billed = error.completion
    assert (billed.input_tokens, billed.output_tokens, billed.cached_input_tokens) == (9, 2, 4)


# --- refusals ---

SOON = {"Retry-After": "0.05"}


@pytest.mark.parametrize(
    ("label", "behaviour", "code", "retryable", "requests"),
    [
        ("the key is wrong", refusal(401, "invalid_api_key"), ErrorCode.CONFIGURATION_ERROR, False, 1),
        ("the key may not", refusal(403), ErrorCode.CONFIGURATION_ERROR, False, 1),
        ("the model is unknown", refusal(404, "model_not_found"), ErrorCode.CONFIGURATION_ERROR, False, 1),
        ("the model is unknown, elsewhere", refusal(400, "model_not_found"), ErrorCode.CONFIGURATION_ERROR, False, 1),
        ("the prompt is too long", refusal(400, "context_length_exceeded"), ErrorCode.OPENAI_API_ERROR, False, 1),
        ("the request is odd", {"status": 422, "raw": "no"}, ErrorCode.OPENAI_API_ERROR, False, 1),
        ("the quota is used up", refusal(429, "insufficient_quota"), ErrorCode.OPENAI_API_ERROR, False, 1),
        ("the same, by its type", refusal(429, None, "insufficient_quota"), ErrorCode.OPENAI_API_ERROR, False, 1),
        ("too fast", refusal(429, "rate_limit_exceeded", **SOON), ErrorCode.OPENAI_API_ERROR, True, 3),
        ("too fast, without words", {"status": 429, "raw": "x", "headers": SOON}, ErrorCode.OPENAI_API_ERROR, True, 3),
        ("broken", refusal(500, **SOON), ErrorCode.OPENAI_API_ERROR, True, 3),
        (
            "a gateway without words",
            {"status": 502, "raw": "<html>", "headers": SOON},
            ErrorCode.OPENAI_API_ERROR,
            True,
            3,
        ),
        (
            "overloaded for longer than we wait",
            refusal(503, **{"Retry-After": "60"}),
            ErrorCode.OPENAI_API_ERROR,
            True,
            1,
        ),
        ("lost connections", {"reset": True}, ErrorCode.OPENAI_API_ERROR, True, 3),
    ],
)
def test_each_refusal_is_translated_and_retried_only_where_that_helps(
    api: StandIn, label: str, behaviour: dict[str, Any], code: ErrorCode, retryable: bool, requests: int
) -> None:
    api.script([behaviour] * 3)
    error = failure(api.url)
    assert (error.code, error.retryable) == (code, retryable), label
    assert len(api.requests()) == requests, label
    assert error.context["status"] == behaviour.get("status"), label
    if "json" in behaviour:
        assert error.context["code"] == (behaviour["json"]["error"]["code"] or ""), label
        assert error.context["provider_request_id"] == "req_7", label


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (500, "Jinja Exception: Conversation roles must alternate user/assistant", RefusalKind.ALTERNATION),
        (500, "Requested tokens (2230) exceed context window of 2048", RefusalKind.TOO_LONG),
        (429, "Request too large for gpt-6 on tokens per min (TPM): Limit 100, Requested 200", RefusalKind.TOO_LONG),
        (400, "Invalid value for top_p", RefusalKind.OTHER),
    ],
)
def test_what_the_request_itself_brings_about_is_neither_retried_as_it_was_nor_an_outage(
    api: StandIn, status: int, message: str, kind: RefusalKind
) -> None:
    api.script([{"status": status, "json": {"error": {"message": message, "code": None}}}] * 3)
    error = failure(api.url)
    assert isinstance(error, RefusedRequest)
    assert (error.kind, error.retryable, is_outage(error)) == (kind, False, False)
    assert len(api.requests()) == (2 if kind is RefusalKind.ALTERNATION else 1), "asked in another form, once"
    assert error.context["provider_words"] == message


def test_a_retry_that_succeeds_is_an_answer_and_waits_as_it_is_told(api: StandIn) -> None:
    api.script([refusal(429, "rate_limit_exceeded", **{"Retry-After": "1"})])
    assert ask(api.url).text == f"Echo: {SECRET_TEXT}"
    first, second = api.requests()
    assert second["time"] - first["time"] >= 1


# --- the deadline ---


@pytest.mark.parametrize(
    ("label", "behaviours"),
    [
        ("hang", [{"hang": True}]),
        ("one byte a second", [{**answer(), "drip": 1.0}]),
        ("a refusal one byte a second", [{**refusal(429), "drip": 1.0}]),
        ("too late", [{"delay": 30}]),
        ("throttled again and again", [refusal(429, "rate_limit_exceeded", **{"Retry-After": "0.5"})] * 3),
        ("broken, then hang", [refusal(500), {"hang": True}]),
    ],
)
def test_whatever_the_model_does_the_call_ends_by_its_deadline(
    api: StandIn, label: str, behaviours: list[dict[str, Any]]
) -> None:
    api.script(behaviours)
    started = time.monotonic()
    error = failure(api.url, deadline=0.8)
    assert time.monotonic() - started < 3, label
    assert (error.code, error.retryable, error.context["code"]) == (ErrorCode.OPENAI_API_ERROR, True, "deadline"), label


def test_an_unreachable_server_is_an_error_worth_a_retry() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        error = failure(f"http://127.0.0.1:{closed.getsockname()[1]}")
    assert (error.code, error.retryable) == (ErrorCode.OPENAI_API_ERROR, True)
    assert error.context["code"] == "ClientConnectorError"


@pytest.mark.parametrize(
    "said",
    [b"not HTTP at all\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", b"HTTP/1.1 200 OK\r\nX: "],
)
def test_what_is_not_http_is_an_error_worth_a_retry_and_shows_no_key(said: bytes) -> None:
    async def run() -> AppError:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(said)
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        model = OpenAIModel(KEY, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        async with server:
            with pytest.raises(AppError) as caught:
                await model.complete(CompletionRequest("gpt-6-luna", PROMPT, 500, 20))
            await model.close()
        return caught.value

    error = asyncio.run(run())
    assert (error.code, error.retryable) == (ErrorCode.OPENAI_API_ERROR, True)
    assert KEY not in "".join(traceback.format_exception(error)) + repr(error.context)


# --- many at once ---


def test_three_hundred_calls_are_in_flight_at_once(api: StandIn) -> None:
    calls = 300
    api.script([{"hang": True}] * calls)

    async def run() -> int:
        model = OpenAIModel("", f"{api.url}/v1")
        request = CompletionRequest("gpt-6-luna", PROMPT, 500, 60)
        tasks = [asyncio.create_task(model.complete(request)) for _ in range(calls)]
        try:
            async with asyncio.timeout(30):
                while (arrived := len(await asyncio.to_thread(api.requests))) < calls:
                    await asyncio.sleep(0.05)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await model.close()
        return arrived

    # None was answered: those that arrived are all waiting at the same time.
    assert asyncio.run(run()) == calls

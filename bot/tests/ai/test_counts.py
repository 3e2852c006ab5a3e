"""What compatible servers bill, as their usage tells it, and what is recorded of it."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ai.answers import read_completion
from bot.ai.base import ChatMessage, CompletionRequest, EmptyCompletion
from bot.ai.counts import LARGEST_COUNT, TokenCounts, count, read_usage
from bot.ai.tokens import most_prompt_tokens
from usage.prices import price_completion

OPENAI = "https://api.openai.com/v1"
NOBODY_KNOWS = "http://localhost:8080/v1"
ON = date(2026, 11, 1)

# Of each server: where it is, a model, the usage of an answer, what is billed, and the micro-dollars of that (by the
# provider's list: written out, so that they are not computed by what is tested).
DIALECTS: dict[str, tuple[str, str, dict[str, Any], TokenCounts, int | None]] = {
    "OpenAI": (
        OPENAI,
        "gpt-6-luna",
        {
            "prompt_tokens": 2_000,
            "completion_tokens": 300,
            "total_tokens": 2_300,
            "prompt_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 1_500, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 250, "accepted_prediction_tokens": 0},
        },
        TokenCounts(2_000, 300, 400, 1_500),
        # 100 at $0.10, 400 at $0.01, 1,500 at $0.125, 300 at $0.50 a million: 10 + 4 + 187.5 + 150
        352,
    ),
    "Azure": (
        "https://mine.openai.azure.com/openai/v1",
        "gpt-4o",
        {
            "prompt_tokens": 1_200,
            "completion_tokens": 100,
            "total_tokens": 1_300,
            "prompt_tokens_details": {"cached_tokens": 1_024},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
        TokenCounts(1_200, 100, 1_024),
        # 176 at $2.50, 1,024 at $1.25, 100 at $10: 440 + 1,280 + 1,000
        2_720,
    ),
    "Anthropic": (
        "https://api.anthropic.com/v1",
        "claude-sonnet-4-5",
        {"prompt_tokens": 900, "completion_tokens": 200, "total_tokens": 1_100, "prompt_tokens_details": None},
        TokenCounts(900, 200),
        # 900 at $3, 200 at $15
        5_700,
    ),
    "Anthropic's own names": (
        "https://api.anthropic.com/v1",
        "claude-sonnet-4-5",
        {
            "input_tokens": 100,
            "output_tokens": 200,
            "cache_creation_input_tokens": 1_500,
            "cache_read_input_tokens": 400,
        },
        TokenCounts(2_000, 200, 400, 1_500),
        # 100 at $3, 400 at $0.30, 1,500 at $3.75, 200 at $15: 300 + 120 + 5,625 + 3,000
        9_045,
    ),
    "Gemini": (
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "gemini-2.5-flash",
        # Thoughts are told by the total alone.
        {"prompt_tokens": 50, "completion_tokens": 20, "total_tokens": 870},
        TokenCounts(50, 820),
        # 50 at $0.30, 820 at $2.50
        2_065,
    ),
    "xAI": (
        "https://api.x.ai/v1",
        "grok-4",
        {
            "prompt_tokens": 30,
            "completion_tokens": 2,
            "total_tokens": 1_032,
            "prompt_tokens_details": {"text_tokens": 30, "image_tokens": 0, "cached_tokens": 10},
            "completion_tokens_details": {"reasoning_tokens": 1_000},
            "num_sources_used": 0,
        },
        TokenCounts(30, 1_002, 10),
        # 20 at $3, 10 at $0.75, 1,002 at $15: 60 + 7.5 + 15,030
        15_098,
    ),
    "Mistral": (
        "https://api.mistral.ai/v1",
        "mistral-small-latest",
        {"prompt_tokens": 400, "completion_tokens": 100, "total_tokens": 500, "prompt_audio_seconds": None},
        TokenCounts(400, 100),
        # 400 at $0.15, 100 at $0.60
        120,
    ),
    "Groq": (
        "https://api.groq.com/openai/v1",
        "llama-3.1-8b-instant",
        {
            "queue_time": 0.03,
            "prompt_tokens": 2_000,
            "prompt_time": 0.001,
            "completion_tokens": 1_000,
            "completion_time": 0.4,
            "total_tokens": 3_000,
            "total_time": 0.401,
            "completion_tokens_details": {"reasoning_tokens": 600},
        },
        TokenCounts(2_000, 1_000),
        # 2,000 at $0.05, 1,000 at $0.08
        180,
    ),
    "Ollama": (
        "http://localhost:11434/v1",
        "llama3.2",
        {"prompt_tokens": 26, "completion_tokens": 298, "total_tokens": 324},
        TokenCounts(26, 298),
        None,
    ),
    "llama.cpp": (
        NOBODY_KNOWS,
        "smollm2",
        {
            "completion_tokens": 12,
            "prompt_tokens": 40,
            "total_tokens": 52,
            "prompt_tokens_details": {"cached_tokens": 36},
        },
        TokenCounts(40, 12, 36),
        None,
    ),
    "vLLM": (
        "http://localhost:8000/v1",
        "Qwen/Qwen3-8B",
        {"prompt_tokens": 15, "total_tokens": 515, "completion_tokens": 500, "prompt_tokens_details": None},
        TokenCounts(15, 500),
        None,
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("server", DIALECTS)
def test_what_each_server_bills_is_what_is_counted(server: str) -> None:
    base_url, model, usage, counts, micros = DIALECTS[server]
    assert read_usage(usage) == counts
    priced = price_completion(
        provider="openai", base_url=base_url, model=model, model_answered="", on=ON,
        input_tokens=counts.input, output_tokens=counts.output,
        cached_input_tokens=counts.cached, cache_write_tokens=counts.cache_writes,
    )  # fmt: skip
    assert priced.cost_micros == micros


@pytest.mark.parametrize(
    ("label", "usage", "counts"),
    [
        ("reasoning beside, without a total", {"prompt_tokens": 9, "completion_tokens": 1,
         "completion_tokens_details": {"reasoning_tokens": 60}}, TokenCounts(9, 61)),
        ("reasoning beside a total without it", {"prompt_tokens": 9, "completion_tokens": 0, "total_tokens": 9,
         "completion_tokens_details": {"reasoning_tokens": 60}}, TokenCounts(9, 60)),
        ("reasoning without details", {"prompt_tokens": 9, "completion_tokens": 1, "reasoning_tokens": 60},
         TokenCounts(9, 61)),
        ("a total below its parts", {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 3},
         TokenCounts(9, 5)),
        ("the prompt by the total", {"completion_tokens": 5, "total_tokens": 30}, TokenCounts(25, 5)),
        ("the answer by the total", {"prompt_tokens": 25, "total_tokens": 30}, TokenCounts(25, 5)),
        ("the names of responses", {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14,
         "input_tokens_details": {"cached_tokens": 4}, "output_tokens_details": {"reasoning_tokens": 3}},
         TokenCounts(9, 5, 4)),
        ("both names", {"prompt_tokens": 9, "completion_tokens": 5, "input_tokens": 0, "output_tokens": 0},
         TokenCounts(9, 5)),
        ("a gateway's prompt with Anthropic's cache in it", {"prompt_tokens": 2_000, "completion_tokens": 5,
         "total_tokens": 2_005, "cache_creation_input_tokens": 1_500, "cache_read_input_tokens": 400},
         TokenCounts(2_000, 5, 400, 1_500)),
        ("a gateway's prompt without it", {"prompt_tokens": 100, "completion_tokens": 5,
         "cache_creation_input_tokens": 1_500, "cache_read_input_tokens": 400}, TokenCounts(2_000, 5, 400, 1_500)),
        ("the same by its total", {"prompt_tokens": 3_000, "completion_tokens": 5, "total_tokens": 4_905,
         "cache_creation_input_tokens": 1_500, "cache_read_input_tokens": 400}, TokenCounts(4_900, 5, 400, 1_500)),
        ("DeepSeek's cache", {"prompt_tokens": 90, "completion_tokens": 5, "prompt_cache_hit_tokens": 64,
         "prompt_cache_miss_tokens": 26}, TokenCounts(90, 5, 64)),
        ("floats", {"prompt_tokens": 9.0, "completion_tokens": 5.0, "total_tokens": 14.0}, TokenCounts(9, 5)),
        ("digits", {"prompt_tokens": "9", "completion_tokens": " 5 ", "total_tokens": "14.0"}, TokenCounts(9, 5)),
        ("more of the cache than there was", {"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details":
         {"cached_tokens": 8, "cache_write_tokens": 8}}, TokenCounts(9, 5, 8, 1)),
        ("Bedrock's names", {"inputTokens": 9, "outputTokens": 5, "totalTokens": 114, "cacheReadInputTokens": 80,
         "cacheWriteInputTokens": 20}, TokenCounts(109, 5, 80, 20)),
        ("Gemini's names", {"promptTokenCount": 9, "candidatesTokenCount": 100, "thoughtsTokenCount": 60,
         "totalTokenCount": 169}, TokenCounts(9, 160)),
        ("names of an SDK", {"promptTokens": 9, "completionTokens": 5, "totalTokens": 14}, TokenCounts(9, 5)),
        ("Ollama's names", {"prompt_eval_count": 9, "eval_count": 5}, TokenCounts(9, 5)),
        ("Cohere's two counts", {"billed_units": {"input_tokens": 9, "output_tokens": 5},
         "tokens": {"input_tokens": 80, "output_tokens": 6}}, TokenCounts(80, 6)),
        ("nothing", None, TokenCounts()),
        ("a list", [9, 5], TokenCounts()),
    ],
)  # fmt: skip
def test_usage_is_read_as_it_is_meant(label: str, usage: Any, counts: TokenCounts) -> None:
    assert read_usage(usage) == counts, label


NONSENSE = [
    -1,
    -1.0,
    0,
    True,
    False,
    float("nan"),
    float("inf"),
    1.5,
    10**30,
    1e30,
    "",
    "-5",
    "5e3",
    "９",
    "nine",
    [],
    {},
]


@pytest.mark.parametrize("value", [*NONSENSE, None])
def test_nonsense_is_no_count(value: Any) -> None:
    assert count(value) == 0


@pytest.mark.parametrize("value", NONSENSE)
def test_nonsense_is_estimated_with_all_that_was_written(value: Any) -> None:
    message = {"content": "<think>" + "hm " * 50 + "</think>Hi", "reasoning_content": "so " * 50}
    usage = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens", "cache_read_input_tokens"), value)
    body = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
    request = CompletionRequest("house", (ChatMessage("user", "Hello"),), 500, 20)
    completion = read_completion(json.dumps(body).encode(), request, "")
    assert completion.text == "Hi"
    assert completion.input_tokens == most_prompt_tokens(request.messages)
    assert completion.output_tokens == len(message["content"]) + len(message["reasoning_content"])


def test_reasoning_alone_is_billed_as_it_is_told() -> None:
    usage = {"prompt_tokens": 21, "completion_tokens": 0, "completion_tokens_details": {"reasoning_tokens": 60}}
    body = {"choices": [{"message": {"content": ""}, "finish_reason": "stop"}], "usage": usage}
    with pytest.raises(EmptyCompletion) as caught:
        read_completion(json.dumps(body).encode(), CompletionRequest("house", (), 500, 20), "")
    assert (caught.value.completion.input_tokens, caught.value.completion.output_tokens) == (21, 60)


NAMES = [
    *("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens", "reasoning_tokens"),
    *("cache_creation_input_tokens", "cache_read_input_tokens", "cached_tokens", "prompt_cache_hit_tokens"),
]
NUMBERS = st.one_of(st.integers(-5, 2 * LARGEST_COUNT), st.floats(), st.sampled_from(NONSENSE))
USAGES = st.dictionaries(st.sampled_from(NAMES), NUMBERS)
DETAILS = st.dictionaries(st.sampled_from(["cached_tokens", "cache_write_tokens", "reasoning_tokens"]), NUMBERS)


@given(usage=USAGES, prompt=DETAILS, completion=DETAILS)
def test_counts_of_any_usage_can_be_stored_and_are_no_less_than_told(usage: Any, prompt: Any, completion: Any) -> None:
    counts = read_usage({**usage, "prompt_tokens_details": prompt, "completion_tokens_details": completion})
    assert all(0 <= each <= LARGEST_COUNT for each in (counts.input, counts.output))
    assert 0 <= counts.cached + counts.cache_writes <= counts.input
    assert counts.input >= count(usage.get("prompt_tokens"))
    assert counts.output >= count(usage.get("completion_tokens"))
    assert counts.output >= count(completion.get("reasoning_tokens"))

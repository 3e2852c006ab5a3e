"""Why a server refuses a request is read from the codes and words of many dialects."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ai.base import ChatMessage, RefusalKind
from bot.ai.refusals import LONGEST_WORDS, names_unknown_cap, read_refusal, safe_words


def openai(message: str, code: Any = None, kind: str = "invalid_request_error", **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code, **more}}


def vllm(message: str, kind: str = "BadRequestError") -> dict[str, Any]:
    return {"object": "error", "message": message, "type": kind, "param": None, "code": 400}


TOO_LONG: list[tuple[str, int, Any, int]] = [
    (
        "OpenAI",
        400,
        openai(
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. "
            "Please reduce the length of the messages.",
            "context_length_exceeded",
        ),
        8192,
    ),
    (
        "OpenAI, newer models",
        400,
        openai("Your input exceeds the context window of this model.", "context_length_exceeded"),
        0,
    ),
    (
        "OpenAI, one request above the tokens of a minute",
        429,
        openai(
            "Request too large for gpt-6 on tokens per min (TPM): Limit 30000, Requested 41000.",
            "rate_limit_exceeded",
            "tokens",
        ),
        30000,
    ),
    ("Azure", 400, {"error": {"code": "context_length_exceeded", "message": "Too big."}}, 0),
    (
        "llama.cpp",
        400,
        {
            "error": {
                "code": 400,
                "message": "the request exceeds the available context size, try increasing it",
                "type": "exceed_context_size_error",
                "n_prompt_tokens": 2500,
                "n_ctx": 2048,
            }
        },
        2048,
    ),
    (
        "llama.cpp, with its numbers",
        400,
        openai(
            "request (5075 tokens) exceeds the available context size (4096 tokens), try increasing it",
            400,
            "exceed_context_size_error",
        ),
        4096,
    ),
    (
        "llama-cpp-python",
        400,
        openai(
            "This model's maximum context length is 2048 tokens, however you requested 2230 tokens (1718 in your "
            "prompt; 512 for the completion). Please reduce your prompt; or completion length.",
            "context_length_exceeded",
        ),
        2048,
    ),
    (
        "llama-cpp-python, of itself",
        500,
        openai("Requested tokens (2230) exceed context window of 2048", None, "internal_server_error"),
        2048,
    ),
    (
        "vLLM",
        400,
        vllm(
            "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the "
            "messages, 1000 in the completion). Please reduce the length of the messages or completion."
        ),
        4096,
    ),
    (
        "vLLM, newer",
        400,
        openai(
            "The decoder prompt (length 5120) is longer than the maximum model length of 4096. Make sure…",
            400,
            "BadRequestError",
        ),
        4096,
    ),
    (
        "vLLM, the answer's cap",
        400,
        vllm(
            "'max_tokens' or 'max_completion_tokens' is too large: 5000. This model's maximum context "
            "length is 4096 tokens and your request has 30 in"
        ),
        4096,
    ),
    ("Ollama", 500, {"error": {"message": "the input length exceeds the context length", "type": "api_error"}}, 0),
    ("Ollama, its own words", 400, {"error": "prompt too long; exceeded max context length by 120 tokens"}, 0),
    (
        "Mistral",
        400,
        {
            "object": "error",
            "message": "Prompt contains 40161 tokens and 0 draft tokens, too large for model with "
            "32768 maximum context length",
            "type": "invalid_request_prompt",
            "code": "3051",
        },
        32768,
    ),
    ("Groq", 400, openai("Please reduce the length of the messages or completion.", "context_length_exceeded"), 0),
    (
        "Groq, per minute",
        413,
        openai(
            "Request too large for model `llama` on tokens per minute (TPM): Limit 6000, Requested 7012",
            "rate_limit_exceeded",
            "tokens",
        ),
        6000,
    ),
    (
        "Anthropic",
        400,
        {
            "type": "error",
            "error": {"type": "invalid_request_error", "message": "prompt is too long: 210000 tokens > 200000 maximum"},
        },
        200000,
    ),
    (
        "Anthropic, with the answer",
        400,
        openai("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length"),
        200000,
    ),
    (
        "Gemini",
        400,
        [
            {
                "error": {
                    "code": 400,
                    "message": "The input token count (1,100,000) exceeds the maximum number of tokens "
                    "allowed (1,048,576).",
                    "status": "INVALID_ARGUMENT",
                }
            }
        ],
        1048576,
    ),
    (
        "xAI",
        400,
        {
            "code": "Client specified an invalid argument",
            "error": "This model's maximum prompt length is 131072 but the request contains 150321 tokens.",
        },
        131072,
    ),
    ("SGLang", 400, vllm("The input (5000 tokens) is longer than the model's context length (4096 tokens)."), 4096),
    (
        "TGI",
        422,
        {
            "error": "Input validation error: `inputs` must have less than 1024 tokens. Given: 1500",
            "error_type": "validation",
        },
        1024,
    ),
    (
        "TGI, with the answer",
        422,
        {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 and 500"},
        4096,
    ),
    (
        "LM Studio",
        400,
        {
            "error": "Trying to keep the first 5200 tokens when context the overflows. However, the "
            "model is loaded with context length of only 4096 tokens, which is not enough."
        },
        4096,
    ),
    ("Bedrock", 400, openai("Input is too long for requested model.", "validation_error"), 0),
    (
        "GitHub Models",
        413,
        {
            "error": {
                "code": "tokens_limit_reached",
                "message": "Request body too large for gpt model. Max size: 8000 tokens.",
                "details": "…",
            }
        },
        0,
    ),
    ("a proxy", 413, None, 0),
]


@pytest.mark.parametrize(("label", "status", "body", "window"), TOO_LONG, ids=[label for label, *_ in TOO_LONG])
def test_a_context_that_is_too_small_is_known_in_every_dialect(label: str, status: int, body: Any, window: int) -> None:
    refusal = read_refusal(status, json.dumps(body).encode())
    assert (refusal.kind, refusal.window) == (RefusalKind.TOO_LONG, window)


@pytest.mark.parametrize(
    ("raw", "window"),
    [
        (b"Requested tokens (5012) exceed context window of 4096", 4096),
        (b'"prompt is too long"', 0),
        (b'{"error": "Bad Request", "message": "prompt is too long", "statusCode": 400}', 0),
        (b'{"error": null, "message": "prompt is too long"}', 0),
        (b'{"errors": [{"message": "AiError: input tokens (5012) exceeded this context window limit (4096)."}]}', 4096),
        (
            b'{"message": "too many tokens: size limit exceeded by 1031 tokens. The limit for this model is 4081."}',
            4081,
        ),
        (b'{"error": {"message": "Your request exceeded model token limit: 8192 (requested: 9000)"}}', 8192),
        (b'{"error": {"message": "Prompt exceeds max length", "code": "1261"}}', 0),
        (b'{"error": {"message": "input length 5012 exceeds maximum allowed 4096"}}', 4096),
        (b'{"error": {"message": "Total tokens of image and text exceed max message tokens"}}', 0),
        (b'{"error": {"message": "Range of input length should be [1, 30720]"}}', 0),
        (b'{"object": "error", "message": "max_tokens must be at least 1, got -916."}', 0),
        ('{"error": {"message": "输入长度超过模型最大上下文长度限制"}}'.encode(), 0),
    ],
)
def test_a_context_that_is_too_small_is_known_in_odd_bodies(raw: bytes, window: int) -> None:
    refusal = read_refusal(400, raw)
    assert (refusal.kind, refusal.window) == (RefusalKind.TOO_LONG, window)


@pytest.mark.parametrize("raw", [b"<html>413: too long</html>", b'{"error": {"message": "prompt is too lo', b"\xff"])
def test_pages_and_broken_bodies_say_nothing(raw: bytes) -> None:
    assert read_refusal(400, raw).kind is RefusalKind.OTHER


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        (RefusalKind.SYSTEM_ROLE, 400, vllm("System role not supported")),
        (RefusalKind.SYSTEM_ROLE, 400, {"message": "This model doesn't support system messages."}),
        (RefusalKind.SYSTEM_ROLE, 422, {"detail": [{"msg": "Input should be 'user' or 'assistant'"}]}),
        (RefusalKind.ALTERNATION, 400, openai("Last message must have role `user`")),
        (RefusalKind.FILTERED, 400, openai("Content Exists Risk")),
        (RefusalKind.FILTERED, 400, openai("May contain inappropriate content.", "data_inspection_failed")),
        (RefusalKind.FILTERED, 403, openai("Your chosen model requires moderation and your input was flagged")),
        (RefusalKind.UNKNOWN_MODEL, 400, openai("Model Not Exist")),
        (RefusalKind.UNKNOWN_MODEL, 400, {"message": "The provided model identifier is invalid."}),
        (RefusalKind.UNKNOWN_MODEL, 404, openai("No endpoints found for house/model")),
        (RefusalKind.SYSTEM_ROLE, 500, openai("Jinja Exception: System role not supported", 500, "server_error")),
        (RefusalKind.SYSTEM_ROLE, 400, openai("Developer instruction is not enabled for models/gemma-3-27b-it")),
        (
            RefusalKind.SYSTEM_ROLE,
            400,
            openai(
                "Unsupported value: 'messages[0].role' does not support 'system' with this model.", "unsupported_value"
            ),
        ),
        (RefusalKind.SYSTEM_ROLE, 400, openai('messages: Unexpected role "system". The Messages API accepts…')),
        (RefusalKind.SYSTEM_ROLE, 400, {"detail": "Only user and assistant roles are supported!"}),
        (RefusalKind.ALTERNATION, 400, vllm("Conversation roles must alternate user/assistant/user/assistant/...")),
        (
            RefusalKind.ALTERNATION,
            500,
            openai("After the optional system message, conversation roles must alternate user and assistant roles"),
        ),
        (RefusalKind.ALTERNATION, 400, openai('messages: first message must use the "user" role')),
        (RefusalKind.ALTERNATION, 400, openai("A conversation must start with a user message. Try again with…")),
        (RefusalKind.ALTERNATION, 400, openai('roles must alternate between "user" and "assistant", but found…')),
        (
            RefusalKind.ALTERNATION,
            400,
            openai("Please ensure that multiturn requests alternate between user and model."),
        ),
        (
            RefusalKind.ALTERNATION,
            400,
            {"message": "Bad order", "type": "invalid_request_message_order", "code": "3230"},
        ),
        (RefusalKind.UNKNOWN_MODEL, 400, openai("The model `gpt-9` does not exist", "model_not_found")),
        (RefusalKind.UNKNOWN_MODEL, 404, {"error": {"message": "model 'llama9' not found", "type": "api_error"}}),
        (RefusalKind.UNKNOWN_MODEL, 400, {"message": "Invalid model: mistral-giant", "type": "invalid_model"}),
        (
            RefusalKind.FILTERED,
            400,
            openai("The response was filtered due to … content management policy", "content_filter"),
        ),
        (RefusalKind.FILTERED, 400, openai("Your request was rejected as a result of our safety system.")),
        (RefusalKind.ACCOUNT, 400, [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID"}}]),
        (RefusalKind.ACCOUNT, 400, openai("Your credit balance is too low to access the API.")),
        (RefusalKind.OTHER, 400, openai("Invalid value for 'temperature'")),
        (RefusalKind.OTHER, 429, openai("Rate limit reached for gpt-6: Limit 30000, Used 28000, Requested 4000.")),
        (RefusalKind.OTHER, 401, openai("Incorrect API key provided")),
        (
            RefusalKind.OTHER,
            500,
            openai("The server had an error while processing your request.", None, "server_error"),
        ),
        (RefusalKind.OTHER, 503, openai("The model is overloaded.")),
        (RefusalKind.OTHER, 400, None),
        (RefusalKind.OTHER, 400, [[[]]]),
        (RefusalKind.OTHER, 400, {"error": {"message": {"a": []}, "code": {}}}),
    ],
)
def test_a_refusal_is_told_by_its_kind(kind: RefusalKind, status: int, body: Any) -> None:
    assert read_refusal(status, json.dumps(body).encode()).kind == kind


@given(
    st.integers(300, 599), st.binary() | st.recursive(st.text() | st.none(), st.lists).map(json.dumps).map(str.encode)
)
def test_any_body_is_a_refusal_of_some_kind(status: int, raw: bytes) -> None:
    assert read_refusal(status, raw).kind in RefusalKind


@pytest.mark.parametrize(
    ("name", "body", "is_unknown"),
    [
        (
            "max_tokens",
            openai(
                "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead."
            ),
            True,
        ),
        (
            "max_completion_tokens",
            {"detail": [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"]}]},
            True,
        ),
        ("max_completion_tokens", openai("Unrecognized request argument supplied: max_completion_tokens"), True),
        ("max_tokens", openai("", "unsupported_parameter", param="max_tokens"), True),
        (
            "max_tokens",
            openai("Unsupported parameter: 'temperature'", "unsupported_parameter", param="temperature"),
            False,
        ),
        ("max_tokens", openai("max_tokens must be at least 1"), False),
    ],
)
def test_a_name_of_the_cap_that_a_server_does_not_know_is_recognised(name: str, body: Any, is_unknown: bool) -> None:
    assert names_unknown_cap(read_refusal(400, json.dumps(body).encode()), name) is is_unknown


def test_the_words_for_the_log_hold_nothing_of_what_was_asked_and_no_personal_data() -> None:
    asked = [ChatMessage("system", "Be kind"), ChatMessage("user", "My PIN is 4711, says Übermaier. Bring 2048 roses")]
    message = (
        "Invalid message 'My PIN is 4711, says \\u00dcbermaier' (Überm...) of +49 170 1234567, sk-abcdef0123, "
        "a@b.example: "
        "the context is 4096 tokens"
    )
    shown = safe_words(message, asked)
    assert not any(part in shown for part in ("4711", "berm", "1234567", "abcdef", "a@b"))
    assert shown.startswith("Invalid message")
    assert shown.endswith("the context is 4096 tokens")
    assert len(safe_words("wort " * 1_000, [])) == LONGEST_WORDS

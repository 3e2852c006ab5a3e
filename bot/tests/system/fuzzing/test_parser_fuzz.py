"""Pure readers of what others wrote: any input ends in a value that can be used, or in the error that is promised."""

import contextlib
import json
import re
from random import Random
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.ai.answers import LONGEST_ANSWER, read_completion
from bot.ai.base import ChatMessage, CompletionRequest, EmptyCompletion
from bot.ai.counts import LARGEST_COUNT
from bot.channels.channel import Channel
from bot.channels.connection import Account
from bot.channels.events import InvalidBody, WebhookRequest
from bot.channels.registry import CHANNELS
from bot.command_call import EDGES, Call, read_call
from bot.errors import AppError
from bot.pipeline.commands.registry import COMMANDS
from bot.tests.system.fuzzing import payloads
from bot.tests.system.fuzzing.deliveries import DAMAGES, hostile_body
from bot.tests.system.fuzzing.legal import event_faults, is_storable
from bot.tests.system.fuzzing.mutations import FITTING, VALUES, mutate, slots, write
from bot.tests.system.fuzzing.suite import BOUNDED, sources
from bot.text import clean, split
from users.phone import InvalidPhoneNumber, is_e164, is_possible, mask, normalise, variants

# (What is measured are the tests of each parser.)
pytestmark = [pytest.mark.promise("hostile"), pytest.mark.no_cover]

FORMS = st.lists(
    st.tuples(st.sampled_from(("From", "Body", "MessageSid", "", "%")), st.text(max_size=20)), max_size=5
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "replace"))
BODIES = sources().map(hostile_body) | st.binary(max_size=300) | FORMS
HEADERS = st.dictionaries(
    st.sampled_from(("X-Hub-Signature-256", "X-Twilio-Signature", "webhook-id", "webhook-signature", "Authorization")),
    st.text(st.characters(max_codepoint=0xFF), max_size=80),
)
QUERIES = st.dictionaries(st.text(max_size=20), st.text(max_size=80), max_size=4).map(
    # All that a handshake needs, but the token.
    lambda odd: {"hub.mode": "subscribe", "hub.challenge": "1", "hub.verify_token": "x", **odd}
)
# Every character that means something to one of the readers, and any other.
TEXTS = st.text(
    st.sampled_from(
        " \t\n\r.!?。…\"'/#\x00\x1b\x85\u00a0\u2028\u200b\u200d\ud800\udfffeE\u0301👨👩🏽🇩🇪❤\ufe0fक\u094d\u1112\u1161"
    )
    | st.characters(),
    max_size=80,
)


def status() -> Any:
    """Return a status that has everything a status may have."""
    return {**payloads.status(Random(7)), "biz_opaque_callback_data": "7", "status": "failed", "errors": [{"code": 1}]}


def account(channel: Channel) -> Account:
    return Account("fuzz", "100200300", {credential.name: f"a {credential.name}" for credential in channel.credentials})


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
@given(body=BODIES)
@BOUNDED
def test_any_body_gives_events_that_can_be_stored_or_is_invalid(channel: Channel, body: bytes) -> None:
    try:
        events = channel.parse(account(channel), body)
    except InvalidBody:
        return
    assert [fault for event in events for fault in event_faults(event)] == []


@pytest.mark.parametrize("kind", [*payloads.KINDS, "status"])
def test_any_value_at_any_place_of_any_kind_is_survived(kind: str) -> None:
    whatsapp = CHANNELS["whatsapp"]

    def make() -> Any:
        items = ([], [status()]) if kind == "status" else ([{**payloads.message(Random(7), kind), "from": "4915"}], [])
        return payloads.envelope([{"changes": [{"field": "messages", "value": payloads.value(*items)}]}])

    for index, (_, name) in enumerate(slots(make())):
        for odd in (*VALUES, *FITTING.get(name, ())):
            node = make()
            parent, key = slots(node)[index]
            parent[key] = odd
            with contextlib.suppress(InvalidBody):
                events = whatsapp.parse(account(whatsapp), write(node))
                assert [fault for event in events for fault in event_faults(event)] == [], (key, odd)


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
@given(body=BODIES, headers=HEADERS, query=QUERIES)
@BOUNDED
def test_any_headers_and_any_query_prove_nothing(
    channel: Channel, body: bytes, headers: dict[str, str], query: dict[str, str]
) -> None:
    for known in (account(channel), Account("fuzz")):
        assert channel.verify(known, WebhookRequest(headers, body)) is False
        assert channel.handshake(known, query) is None


def test_the_channels_that_are_fuzzed_are_those_there_are() -> None:
    assert {"whatsapp", "console"} <= set(CHANNELS)


@given(text=TEXTS, limit=st.integers(1, 30))
@BOUNDED
def test_split_loses_white_space_only_and_no_part_is_empty_or_too_long(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(0 < len(part) <= limit and part.strip() for part in parts)
    assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)


@given(text=TEXTS)
@BOUNDED
def test_clean_takes_nothing_but_what_cannot_be_stored_or_shown(text: str) -> None:
    cleaned = clean(text)
    assert is_storable(cleaned)
    assert clean(cleaned) == cleaned
    assert [char for char in cleaned if char.isprintable()] == [char for char in text if char.isprintable()]


@given(text=TEXTS | st.builds("{}/{}{}".format, TEXTS, st.sampled_from(sorted(COMMANDS)), TEXTS))
@example("/")
@example("xhelp /")
@example("\u2028/HELP\u00a0x")
@example("/help@shop_bot x")
@BOUNDED
def test_a_command_is_the_slash_and_the_first_word(text: str) -> None:
    call = read_call(text)
    text = text.strip(EDGES).replace("\uff0f", "/")
    first = text.split()[0].lower() if text.split() else ""
    assert call is None or first.partition("@")[0] == f"/{call.name}"
    words = [name for name in COMMANDS if first == f"/{name}"]
    assert not words or call == Call(words[0], " ".join(text.split(maxsplit=1)[1:]).strip(EDGES))


DIGITS = st.text(st.sampled_from("0123456789+ -().٤٢①⑩²०\u202a\u200e/tels:"), max_size=40)


NUMBERS = DIGITS | TEXTS | st.from_regex(r"\+?[0-9]{1,18}", fullmatch=True)


@example("+1234567890123456", "")
@example("1234567890123456", "DE")
@given(raw=NUMBERS, region=st.sampled_from(("", "DE", "IT", "BR", "ZZ", "\x00")))
@BOUNDED
def test_a_number_is_read_as_e164_for_good_or_refused(raw: str, region: str) -> None:
    try:
        number = normalise(raw, region)
    except InvalidPhoneNumber:
        return
    assert is_e164(number)
    assert normalise(number, region) == number
    assert number in variants(number)
    assert all(set(variants(variant)) == set(variants(number)) for variant in variants(number))
    assert mask(number) != number
    assert is_possible(number) in (True, False)


ASKED = CompletionRequest("gpt-6-luna", (ChatMessage("user", "Hello"),), 500, 20)


def completion_body(source: Random) -> Any:
    """Return a chat completion as servers write it."""
    parts = [{"type": "text", "text": "Hello"}, {"type": "image"}]
    message = {"role": "assistant", "content": source.choice(("Hello\u0000\ud800", parts, None)), "refusal": "No"}
    return {
        "id": "chatcmpl-1",
        "model": "gpt-6-luna-2026-01-01",
        "choices": [{"message": message, "finish_reason": source.choice(("stop", "length", None))}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
        "error": {"code": "x", "message": "y"},
    }


def hostile_answer(source: Random) -> bytes:
    node = completion_body(source)
    for _ in range(source.choice((0, 1, 1, 2, 4))):
        node = mutate(node, source, completion_body)
    raw = write(node)
    return source.choice(DAMAGES)(raw, source) if source.random() < 0.2 else raw


@given(raw=sources().map(hostile_answer) | st.binary(max_size=100))
@example(
    b'{"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":99}}}'
)
@example(json.dumps({"choices": [{"message": {"content": "x" * (LONGEST_ANSWER + 9)}}]}).encode())
@BOUNDED
def test_any_answer_of_a_model_is_a_completion_that_can_be_stored_or_the_error_that_is_promised(raw: bytes) -> None:
    refusal: AppError | None = None
    try:
        completion = read_completion(raw, ASKED, "req_1")
    except AppError as error:
        refusal = error
    if refusal is not None:
        assert (refusal.code, refusal.context["status"]) == ("OPENAI_API_ERROR", 200)
        assert len(refusal.context["code"]) <= 110
        if not isinstance(refusal, EmptyCompletion):
            return
        completion = refusal.completion
    assert bool(completion.text.strip()) == (refusal is None)
    assert is_storable(completion.text) and completion.text == clean(completion.text)
    assert len(completion.text) <= LONGEST_ANSWER
    assert 0 < len(completion.model) <= 100
    counts: tuple[int, ...] = (completion.input_tokens, completion.output_tokens, completion.cached_input_tokens)
    assert all(type(count) is int and 0 <= count <= LARGEST_COUNT for count in counts)
    assert completion.cached_input_tokens <= completion.input_tokens

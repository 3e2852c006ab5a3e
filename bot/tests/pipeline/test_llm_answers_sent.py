"""From a server's answer to what a person reads, what is remembered and shown to the model again, what is billed."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from bot.ai import create_model
from bot.dev.standins import StandIn
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import event
from bot.tests.support.fakes import ScriptedChannel, states
from bot.tests.support.fakes import work_until as work
from bot.worker.worker import Worker
from conversations.models import Message
from usage.models import UsageRecord
from users.models import User

SORRY = "I'm having trouble connecting to my AI service. Please try again in a moment."
HINT = "(That was not all. Ask me to go on if you want the rest.)"
PRIVATE = "keep the voucher SPRING to myself"
USAGE = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start("model") as stand_in:
        yield stand_in


@pytest.fixture
def api(running: StandIn, settings: Settings) -> StandIn:
    running.reset()
    settings.OPENAI_BASE_URL = f"{running.url}/v1"
    settings.LLM_PROVIDER = "openai"
    return running


Say = Callable[[Any], None]


@pytest.fixture
def say(alice: User, bot: ActiveBot, api: StandIn) -> Say:
    """Let Alice write while the server answers as it is told, until her turn is over."""
    numbers = iter(range(100))

    def say(*behaviours: dict[str, Any]) -> None:
        api.script(behaviours)
        accept.accept(bot, [event(f"m{next(numbers)}")])
        work(worker=Worker(10, model_factory=lambda: create_model("openai")))

    return say


def answer(finish_reason: str = "stop", usage: Any = None, **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish_reason}
    return {"json": {"id": "chatcmpl-1", "model": "odd-1", "choices": [choice], "usage": usage or USAGE}}


def billed() -> list[tuple[int, int]]:
    return list(UsageRecord.objects.order_by("pk").values_list("input_tokens", "output_tokens"))


SSE = (
    'data: {"id":"1","model":"odd-1","choices":[{"delta":{"content":"Hel"},"finish_reason":null}]}\n\n'
    'data: {"id":"1","model":"odd-1","choices":[{"delta":{"content":"lo!"},"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":20,"completion_tokens":10}}\n\ndata: [DONE]\n\n'
)


@pytest.mark.parametrize(
    "behaviour",
    [
        answer(content=f"<think>\n{PRIVATE}\n</think>\n\nHello!"),
        answer(content=f"{PRIVATE}\n</think>\n\nHello!"),
        answer(content=f"<|channel|>analysis<|message|>{PRIVATE}<|end|><|start|>assistant<|channel|>final<|message|>Hello!"),
        answer(content=[{"type": "reasoning", "text": PRIVATE}, {"type": "text", "text": "Hello!"}]),
        answer(content="Hello!<|im_end|>"),
        answer(content="Hello!", reasoning_content=PRIVATE),
        answer(content=None, reasoning_content="Hello!"),
        {"raw": SSE, "headers": {"Content-Type": "text/event-stream"}},
    ],
)  # fmt: skip
def test_only_the_answer_is_sent_remembered_and_shown_to_the_model_again(
    say: Say, api: StandIn, channel: ScriptedChannel, behaviour: dict[str, Any]
) -> None:
    say(behaviour)
    assert channel.texts == ["Hello!"]
    assert [message.content for message in Message.objects.order_by("pk")] == ["Hello", "Hello!"]
    assert billed() == [(20, 10)]
    say(answer(content="And again."))
    assert [message["content"] for message in api.requests()[-1]["body"]["messages"][1:]] == [
        "Hello",
        "Hello!",
        "Hello",
    ]


@pytest.mark.parametrize(
    "behaviour",
    [
        answer("length", content=f"<think>\n{PRIVATE}"),
        answer("length", content=f"<think>\n{PRIVATE}\n</think>\n"),
        answer("length", content="\u200b\u2060"),
        answer(content="\u200b\u2060"),
        answer(content="<think>hm</think>"),
        answer("content_filter", content="The roses need"),
        answer("error", content="The roses need"),
    ],
)
def test_who_gets_no_answer_is_told_and_it_is_billed(
    say: Say, channel: ScriptedChannel, behaviour: dict[str, Any]
) -> None:
    say(behaviour)
    assert channel.texts == [SORRY]
    assert states() == [("done", "OPENAI_API_ERROR")]
    assert not Message.objects.exists()
    assert billed() == [(20, 10)]


def test_a_cut_answer_ends_at_a_sentence_and_says_so(
    say: Say, channel: ScriptedChannel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bot")
    say(answer("length", content="The roses need a lot of light. In winter you"))
    text = "The roses need a lot of light. …"
    assert channel.texts == [f"{text}\n\n{HINT}"]
    assert Message.objects.order_by("pk").last().content == text  # type: ignore[union-attr]
    (logged,) = [vars(record) for record in caplog.records if record.message == "model_answered"]
    assert (logged["finish_reason"], logged["is_cut"]) == ("length", True)


def test_a_whole_answer_is_logged_as_one(say: Say, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="bot")
    say(answer(content="Hello!"))
    (logged,) = [vars(record) for record in caplog.records if record.message == "model_answered"]
    assert (logged["finish_reason"], logged["is_cut"]) == ("stop", False)


def test_reasoning_and_cache_writes_are_recorded_as_they_are_billed(say: Say) -> None:
    say(
        answer(
            content="four",
            usage={
                "prompt_tokens": 2_000,
                "completion_tokens": 1,
                "total_tokens": 3_061,
                "prompt_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 1_500},
                "completion_tokens_details": {"reasoning_tokens": 1_060},
            },
        )
    )
    record = UsageRecord.objects.get()
    assert (record.input_tokens, record.output_tokens) == (2_000, 1_061)
    assert (record.cached_input_tokens, record.cache_write_tokens) == (400, 1_500)

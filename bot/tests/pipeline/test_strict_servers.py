"""However strict the model's server is and whatever a chat holds: the next message is answered, or told what to do."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.ai.base import ChatMessage, LanguageModel
from bot.channels.events import TEXT
from bot.errors import AppError, ErrorCode
from bot.models import TakenLease
from bot.pipeline.stages.budget import most_micros
from bot.pipeline.stages.completion import completion
from bot.pipeline.turn import Turn
from bot.pipeline.windows import Windows
from bot.queue.turn_message import TurnMessage
from bot.tests.support.strict_servers import DIALECTS, StrictServer
from bot.text import clean
from bot.worker.senders import HISTORY_MESSAGES

SYSTEM = "Be kind."
OF_CONTEXT = (ErrorCode.MESSAGE_TOO_LONG, ErrorCode.CONVERSATION_TOO_LONG)


def turn_of(text: str, history: list[ChatMessage], system: str = SYSTEM) -> Turn:
    bot = SimpleNamespace(
        id=1,
        slug="shop",
        system_prompt=system,
        model="small",
        allowed_models=(),
        reasoning_effort="",
        channel=SimpleNamespace(dialect=None),
    )
    lease = TakenLease(**dict.fromkeys(TakenLease.__slots__, 1))  # type: ignore[arg-type]
    return Turn(cast(Any, bot), "1", lease, [TurnMessage(1, "m", TEXT, text)], history=history)


class Chat:
    """One chat with a server: what was said, and what became of each message."""

    def __init__(self, server: StrictServer, model: LanguageModel | None = None) -> None:
        self.server = server
        self.model = model or server.model()
        self.memory: list[ChatMessage] = []

    async def write(self, text: str) -> str:
        """Return the answer, or the code of what the person is told."""
        if text == "/reset":
            self.memory.clear()
            return ""
        turn = turn_of(text, self.memory[-HISTORY_MESSAGES:])
        asked_before = len(self.server.bodies)
        first = turn.request
        try:
            await completion(turn, cast(Any, SimpleNamespace(model=self.model, background=set(), windows=Windows())))
        except AppError as error:
            return error.code
        finally:
            bodies = self.server.bodies[asked_before:]
            # Each call shows less than what was reserved for, and only one is answered, and billed.
            assert all(sum(len(it["content"]) for it in body["messages"]) <= _length(first) for body in bodies)
            assert self.server.statuses[asked_before:].count(200) <= 1
        self.memory += [ChatMessage(said.role, said.content) for said in turn.result.remember]
        return cast(str, turn.result.reply)


def _length(request: Any) -> int:
    return sum(len(message.content) + 2 for message in request.messages)


def write(server: StrictServer, *texts: str, model: LanguageModel | None = None) -> list[str]:
    async def run() -> list[str]:
        chat = Chat(server, model)
        return [await chat.write(text) for text in texts]

    with override_settings(MAX_REPLY_TOKENS=256, MAX_MODEL_TOKENS=8_000):
        return asyncio.run(run())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_chat_that_grows_beyond_the_servers_context_goes_on_with_less_history(dialect: Any) -> None:
    server = StrictServer(2_048, dialect=dialect)
    answers = write(server, *[f"{number} " + "some words " * 60 for number in range(30)])
    assert all(answer.startswith("Well, ") for answer in answers)
    assert server.statuses.count(200) == 30
    assert 400 in server.statuses or 500 in server.statuses


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("text", ["我们" * 480, "31415926" * 200, "word " * 4_000, "é" * 900])
def test_a_message_that_is_too_long_alone_is_told_so_and_a_short_one_is_answered_afterwards(
    text: str, dialect: Any
) -> None:
    told, hello = write(StrictServer(1_024, dialect=dialect), text, "hello")
    assert told == ErrorCode.MESSAGE_TOO_LONG
    assert hello == "Well, hello"


def test_a_long_message_that_was_answered_once_does_not_stop_the_chat() -> None:
    server = StrictServer(2_048)
    # (With the answer's cap it fits alone, and never again beside another message of its kind.)
    answers = write(server, "我" * 800, "我" * 800, "hello", "31415926" * 150, "hello")
    assert all(answer.startswith("Well, ") for answer in answers)


def test_a_context_that_the_bots_own_prompt_fills_is_the_operators_matter() -> None:
    async def run() -> AppError:
        model = StrictServer(512).model()
        turn = turn_of("hello", [], "Be kind. " * 400)
        with pytest.raises(AppError) as caught:
            await completion(turn, cast(Any, SimpleNamespace(model=model, background=set(), windows=Windows())))
        return caught.value

    assert asyncio.run(run()).code == ErrorCode.CONFIGURATION_ERROR


def test_a_cap_that_is_larger_than_the_context_is_made_smaller() -> None:
    server = StrictServer(280)
    assert write(server, "hello") == ["Well, hello"]
    assert [body["max_tokens"] for body in server.bodies] == [256, 70]


@pytest.mark.parametrize("template", ["no system", "alternate"])
def test_a_template_is_learned_once_by_its_refusal(template: str) -> None:
    server = StrictServer(template=template)
    assert write(server, "a", "b", "c") == ["Well, a", "Well, b", "Well, c"]
    refused = [status for status in server.statuses if status != 200]
    assert refused == ([400] if template == "no system" else [])
    if template == "no system":
        assert server.bodies[-1]["messages"][0] == {"role": "user", "content": "Be kind.\n\na"}


@pytest.mark.parametrize("cap_name", ["max_tokens", "max_completion_tokens"])
def test_the_name_of_the_cap_is_learned_once_by_its_refusal(cap_name: str) -> None:
    server = StrictServer(cap_name=cap_name, template="no system")
    assert write(server, "a", "b") == ["Well, a", "Well, b"]
    assert server.statuses.count(200) == 2
    assert all(body[cap_name] == 256 for body in server.bodies[-2:])
    assert len(server.bodies) == (3 if cap_name == "max_tokens" else 4)


def test_a_cap_that_the_operator_has_named_stays_and_the_refusal_names_the_setting() -> None:
    server = StrictServer(cap_name="max_completion_tokens")
    assert write(server, "a", model=server.model(max_tokens_parameter="max_tokens")) == [ErrorCode.CONFIGURATION_ERROR]
    assert len(server.bodies) == 1


@pytest.mark.django_db
def test_the_second_call_never_costs_more_than_what_was_reserved_for_the_first(settings: Any) -> None:
    settings.LLM_PROVIDER = "openai"
    server = StrictServer(2_048)
    history = [ChatMessage(role, "some words " * 80) for _ in range(10) for role in ("user", "assistant")]
    turn = turn_of("hello", history)
    asked: list[Any] = []

    class Noting(LanguageModel):
        async def complete(self, request: Any) -> Any:
            asked.append(request)
            return await server.model().complete(request)

    asyncio.run(completion(turn, cast(Any, SimpleNamespace(model=Noting(), background=set(), windows=Windows()))))
    first, second = map(most_micros, asked)
    assert 0 < second < first
    assert len(turn.result.calls) == 1


TEXTS = st.one_of(
    st.text(max_size=40),
    st.tuples(st.sampled_from(["word ", "31415926", "我们都", "ሰላም", "🙂"]), st.integers(1, 800)).map(
        lambda it: it[0] * it[1]
    ),
).filter(lambda text: bool(clean(text).strip()))
# What may be left in a chat by staff, by failed turns, and by versions before this one.
LEFTOVERS = st.builds(ChatMessage, st.sampled_from(["user", "assistant"]), TEXTS)
SERVERS = st.builds(
    StrictServer,
    window=st.sampled_from([512, 2_048, 4_096]),
    template=st.sampled_from(["any", "alternate", "no system"]),
    dialect=st.sampled_from(DIALECTS),
    counts_answer=st.booleans(),
    cap_name=st.sampled_from(["", "max_completion_tokens"]),
)


@settings(max_examples=60, deadline=None)
@given(SERVERS, st.lists(st.one_of(TEXTS, st.lists(LEFTOVERS, min_size=1, max_size=4)), max_size=12))
def test_from_any_history_the_next_short_message_is_answered_at_once_or_after_a_reset(
    server: StrictServer, script: list[Any]
) -> None:
    async def run() -> None:
        chat = Chat(server)
        for step in script:
            if isinstance(step, str):
                said = await chat.write(step)
                assert said.startswith("Well,") or said in OF_CONTEXT
            else:
                chat.memory += step
        said = await chat.write("hello")
        if said == ErrorCode.CONVERSATION_TOO_LONG:
            await chat.write("/reset")
            said = await chat.write("hello")
        assert said == "Well, hello"

    with override_settings(MAX_REPLY_TOKENS=200, MAX_MODEL_TOKENS=8_000):
        asyncio.run(run())

"""How a server wants to be asked is learned from what it refuses, for each model."""

import asyncio
from collections.abc import Iterator

import pytest

from bot.ai.base import (
    ChatMessage,
    CompletionRequest,
    RefusedRequest,
)
from bot.ai.manners import max_tokens_name
from bot.ai.openai import OpenAIModel
from bot.dev.standins import StandIn
from bot.tests.ai.calling import KEY, PROMPT, SECRET_TEXT


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start("model") as stand_in:
        yield stand_in


@pytest.fixture
def api(running: StandIn) -> StandIn:
    running.reset()
    return running


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://eu.api.openai.com/v1", "max_completion_tokens"),
        ("https://mine.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://api.openai.com.example.org/v1", "max_tokens"),
        ("https://notapi.openai.com/v1", "max_tokens"),
        ("http://localhost:11434/v1", "max_tokens"),
    ],
)
def test_the_cap_is_called_as_the_server_knows_it(base_url: str, name: str) -> None:
    assert max_tokens_name(base_url) == name


def test_a_form_that_is_refused_as_well_is_not_remembered(api: StandIn) -> None:
    api.script([{"status": 400, "json": {"error": {"message": "System role not supported"}}}] * 2)

    async def run() -> list[str]:
        model = OpenAIModel(KEY, f"{api.url}/v1")
        request = CompletionRequest("gpt-6-luna", PROMPT, 500, 20)
        try:
            with pytest.raises(RefusedRequest):
                await model.complete(request)
            return [(await model.complete(request)).text]
        finally:
            await model.close()

    assert asyncio.run(run()) == [f"Echo: {SECRET_TEXT}"]
    roles = [[message["role"] for message in request["body"]["messages"]] for request in api.requests()]
    assert roles == [["system", "user"], ["user"], ["system", "user"]]


def test_what_one_model_of_a_server_wants_is_not_learned_for_another(api: StandIn) -> None:
    api.script([{"for": "first", "status": 400, "json": {"error": {"message": "System role not supported"}}}])

    async def run() -> None:
        model = OpenAIModel(KEY, f"{api.url}/v1")
        try:
            for name, text in (("gemma", "first"), ("gemma", "second"), ("gpt-6-luna", "third")):
                prompt = (ChatMessage("system", "Be kind"), ChatMessage("user", text))
                await model.complete(CompletionRequest(name, prompt, 500, 20))
        finally:
            await model.close()

    asyncio.run(run())
    asked = [(request["body"]["model"], len(request["body"]["messages"])) for request in api.requests()]
    assert asked == [("gemma", 2), ("gemma", 1), ("gemma", 1), ("gpt-6-luna", 2)]

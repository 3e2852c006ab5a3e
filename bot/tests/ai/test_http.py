"""The client of the SDK: each call goes out as its own, and no redirect is followed."""

import asyncio
from collections.abc import Iterator

import pytest

from bot.ai.base import (
    ChatMessage,
    CompletionRequest,
)
from bot.ai.openai import OpenAIModel
from bot.dev.standins import StandIn
from bot.errors import ErrorCode
from bot.tests.ai.calling import KEY, failure


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start("model") as stand_in:
        yield stand_in


@pytest.fixture
def api(running: StandIn) -> StandIn:
    running.reset()
    return running


def test_each_call_of_a_client_goes_out_with_its_own_content_also_when_it_is_repeated(api: StandIn) -> None:
    api.script([{"for": "second", "status": 500, "empty": True, "headers": {"retry-after-ms": "1"}}])

    async def run() -> list[str]:
        model = OpenAIModel(KEY, f"{api.url}/v1")
        try:
            requests = [
                CompletionRequest("gpt-6-luna", (ChatMessage("user", text),), 500, deadline)
                for text, deadline in (("first", 20), ("second", 20), ("third", 5))
            ]
            return [(await model.complete(request)).text for request in requests]
        finally:
            await model.close()

    assert asyncio.run(run()) == ["Echo: first", "Echo: second", "Echo: third"]
    asked = [request["body"]["messages"][0]["content"] for request in api.requests()]
    assert asked == ["first", "second", "second", "third"]
    assert all(request["authorized"] for request in api.requests())


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_is_never_followed(api: StandIn, status: int) -> None:
    api.script([{"status": status, "headers": {"Location": f"{api.url}/v1/chat/completions"}, "empty": True}])
    assert failure(api.url).code == ErrorCode.CONFIGURATION_ERROR
    assert len(api.requests()) == 1


@pytest.mark.parametrize("key", ["sk-schlüssel", "sk-two\nlines"])
def test_a_key_that_cannot_be_sent_is_a_configuration_error(api: StandIn, key: str) -> None:
    assert failure(api.url, key=key).code == ErrorCode.CONFIGURATION_ERROR
    assert api.requests() == []

"""The model is made of the settings."""

import asyncio
from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings

from bot.ai import create_model
from bot.ai.base import (
    Completion,
    CompletionRequest,
)
from bot.dev.standins import StandIn
from bot.tests.ai.calling import PROMPT


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start("model") as stand_in:
        yield stand_in


@pytest.fixture
def api(running: StandIn) -> StandIn:
    running.reset()
    return running


def test_the_settings_configure_the_model_and_no_key_is_needed_elsewhere(api: StandIn, settings: Settings) -> None:
    settings.OPENAI_API_KEY = ""
    settings.OPENAI_BASE_URL = f"{api.url}/v1"
    settings.OPENAI_MAX_TOKENS_PARAMETER = "max_completion_tokens"

    async def run() -> Completion:
        model = create_model("openai")
        try:
            return await model.complete(CompletionRequest("local", PROMPT, 77, 20))
        finally:
            await model.close()
            await model.close()

    assert asyncio.run(run()).model == "local-2026-01-01"
    assert api.requests()[0]["body"]["max_completion_tokens"] == 77


def test_an_unknown_provider_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(LookupError, match=r"'oracle'.*demo, openai"):
        create_model("oracle")

"""How much a model is asked to reason: what suits a chat, or what was chosen; what is refused is left out."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bot.ai import effort
from bot.ai.base import ChatMessage, CompletionRequest
from bot.ai.effort import Efforts, refuses_effort
from bot.ai.openai import OpenAIModel
from bot.dev.standins import StandIn
from bot.errors import AppError
from bot.models import Bot
from bot.queue.snapshot import forget
from bot.tests.support.factories import BotFactory
from bot.tests.support.fakes import ScriptedModel
from users.models import User

OPENAI, AZURE, LOCAL = "https://api.openai.com/v1", "https://shop.openai.azure.com/openai/v1", "http://gpu.lan/v1"


@pytest.mark.parametrize(
    ("url", "model", "chosen", "sent"),
    [
        # Nothing chosen: as little as the model takes, where that is known.
        (OPENAI, "gpt-6-luna", "", "none"),
        (OPENAI, "gpt-6-luna-2026-01-01", "", "none"),
        (OPENAI, "ft:gpt-6-luna:shop::1", "", "none"),
        (AZURE, "gpt-6-luna", "", "none"),
        ("https://shop.services.ai.azure.com/openai/v1", "gpt-6-sol", "", "none"),
        (OPENAI, "gpt-6-astra", "", "low"),
        (OPENAI, "gpt-6.1-sol", "", "low"),
        (OPENAI, "gpt-6.1-sol-2026-11-01", "", "low"),
        (OPENAI, "gpt-5.1", "", "none"),
        (OPENAI, "gpt-5", "", "minimal"),
        (OPENAI, "gpt-5-mini-2025-08-07", "", "minimal"),
        (OPENAI, "gpt-5-codex", "", "low"),
        (OPENAI, "o4-mini", "", "low"),
        (OPENAI, "gpt-4o", "", None),
        (OPENAI, "gpt-5-chat-latest", "", None),
        (OPENAI, "gpt-5-pro", "", None),
        (AZURE, "our-deployment", "", None),
        # Any other server is sent what was chosen, and nothing else.
        (LOCAL, "gpt-6-luna", "", None),
        ("https://openrouter.ai/api/v1", "openai/gpt-6-luna", "", None),
        ("https://api.openai.com.evil.example/v1", "gpt-6-luna", "", None),
        (LOCAL, "qwen3", "high", "high"),
        (LOCAL, "gpt-4-of-ours", "low", "low"),
        (LOCAL, "gpt-6-luna", "none", "none"),
        ("https://openrouter.ai/api/v1", "openai/gpt-6.1-sol", "none", "low"),
        # Chosen, where it is known what the model takes.
        (OPENAI, "gpt-6-luna", "server", None),
        (LOCAL, "gpt-6-luna", "server", None),
        (OPENAI, "gpt-6-luna", "high", "high"),
        (OPENAI, "gpt-6-luna", "minimal", "low"),
        (OPENAI, "gpt-6-astra", "none", "low"),
        (OPENAI, "gpt-6-astra", "medium", "medium"),
        (OPENAI, "gpt-5", "none", "minimal"),
        (OPENAI, "gpt-4o", "low", None),
        (AZURE, "our-deployment", "low", "low"),
    ],
)
def test_what_is_sent(url: str, model: str, chosen: str, sent: str | None) -> None:
    assert Efforts(url).of(model, chosen) == sent


@pytest.mark.parametrize(
    ("status", "raw", "expected"),
    [
        (400, b'{"error": {"message": "Unsupported value", "param": "reasoning_effort"}}', True),
        (400, b'{"error": {"message": "Unrecognized request argument supplied: reasoning_effort"}}', True),
        (422, b'{"detail": [{"type": "extra_forbidden", "loc": ["body", "reasoning_effort"]}]}', True),
        (400, b'{"error": {"message": "reasoning.effort: unsupported value"}}', True),
        (400, b'{"error": {"message": "maximum context length is 4096"}}', False),
        (500, b"reasoning_effort", False),
        (400, b"", False),
    ],
)
def test_a_refusal_of_the_effort_is_told_by_its_name(status: int, raw: bytes, expected: bool) -> None:
    assert refuses_effort(status, raw) is expected


# --- against a server ---


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start("model") as stand_in:
        yield stand_in


@pytest.fixture
def api(running: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    running.reset()
    monkeypatch.setattr(effort, "HOSTS", (".127.0.0.1",))
    return running


def asked(api: StandIn, *requests: tuple[str, str]) -> list[str | None]:
    """Ask for each (model, effort) with one client, and return what was sent."""

    async def run() -> None:
        model = OpenAIModel("", f"{api.url}/v1")
        try:
            for name, chosen in requests:
                await model.complete(CompletionRequest(name, (ChatMessage("user", "Hi"),), 50, 20, effort=chosen))
        finally:
            await model.close()

    asyncio.run(run())
    return [request["body"].get("reasoning_effort") for request in api.requests()]


REFUSED = {"status": 400, "json": {"error": {"message": "Unsupported parameter", "param": "reasoning_effort"}}}


def test_it_is_sent_and_once_refused_left_out_for_that_model_only(
    api: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    api.script([{**REFUSED, "for": '"gpt-6-luna"'}])
    requests = [("gpt-6-luna", ""), ("gpt-6-luna", "high"), ("gpt-6-sol", "")]
    with caplog.at_level(logging.WARNING):
        assert asked(api, *requests) == ["none", None, None, "none"]
    assert [record.message for record in caplog.records] == ["model_effort_refused"]


def test_another_refusal_is_asked_once_and_what_fails_without_as_well_is_not_remembered(api: StandIn) -> None:
    api.script([{"status": 400, "json": {"error": {"message": "Too long."}}}])
    with pytest.raises(AppError):
        asked(api, ("gpt-6-luna", ""))
    assert len(api.requests()) == 1
    api.reset()
    # A server that quotes the request: it is the prompt that speaks of reasoning_effort.
    api.script([REFUSED, REFUSED])
    with pytest.raises(AppError):
        asked(api, ("gpt-6-luna", ""))
    assert [request["body"].get("reasoning_effort") for request in api.requests()] == ["none", None]


# --- a bot ---


@pytest.mark.django_db(transaction=True)
def test_a_bots_setting_reaches_the_model(alice: User, ask: Callable[..., str], model: ScriptedModel) -> None:
    ask("Hello")
    Bot.objects.update(reasoning_effort="low")
    forget()
    ask("Again")
    assert [request.effort for request in model.history] == ["", "low"]


@pytest.mark.django_db
def test_it_is_chosen_in_the_form_and_tried_in_a_preview(client: Client) -> None:
    client.force_login(User.objects.create_superuser("+4915112345600", "a good password"))
    bot = BotFactory.create(slug="shop")
    page = client.get(reverse("admin:bot_bot_change", args=[bot.pk]))
    form = {name: value for name, value in page.context["adminform"].form.initial.items() if value is not None}
    fields: dict[str, Any] = {**form, "is_active": "on", "reasoning_effort": "high"}
    assert client.post(reverse("admin:bot_bot_try", args=[bot.pk]), fields).status_code == 302
    assert Bot.objects.get(preview_of=bot).reasoning_effort == "high"
    assert client.post(reverse("admin:bot_bot_change", args=[bot.pk]), fields).status_code == 302
    bot.refresh_from_db()
    assert bot.reasoning_effort == "high"
    for wrong in ("extreme", "max"):
        page = client.post(reverse("admin:bot_bot_change", args=[bot.pk]), {**fields, "reasoning_effort": wrong})
        assert page.status_code == 200 and page.context["adminform"].form.errors["reasoning_effort"]

"""Behind an egress proxy everything goes through it, or nothing does: the model, the sends, the tests, the health."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from pytest_django.fixtures import Settings

from bot.ai.base import ChatMessage, CompletionRequest
from bot.ai.openai import OpenAIModel
from bot.channels.connection import Account
from bot.channels.sending import OutboundText, SendError
from bot.channels.whatsapp import WhatsAppChannel
from bot.dev.standins import StandIn
from bot.errors import AppError
from bot.monitoring.health.model import ask
from bot.operations.connection_test import try_connection
from bot.tests.support.egress import PASSWORD, EgressProxy, basic, running_tinyproxy
from bot.tests.support.factories import PHONE_NUMBER_ID, BotFactory
from config import egress
from config.logs.redaction import redact

MODEL, GRAPH = "model.invalid", "graph.invalid"
ACCOUNT = Account("shop", PHONE_NUMBER_ID, {"access_token": "EAAtoken", "app_secret": "s", "verify_token": "v"})
TEXT = OutboundText(1, "+4915112345678", "Hello")
NAMES = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY")


@pytest.fixture(scope="module")
def stand_ins() -> Iterator[dict[str, StandIn]]:
    with StandIn.start("model") as model, StandIn.start("whatsapp") as graph:
        yield {MODEL: model, GRAPH: graph}


@pytest.fixture
def proxy(stand_ins: dict[str, StandIn], settings: Settings) -> Iterator[EgressProxy]:
    settings.WHATSAPP_API_URL = f"http://{GRAPH}/v26.0"
    settings.OPENAI_BASE_URL = f"http://{MODEL}/v1"
    for stand_in in stand_ins.values():
        stand_in.reset()
    with EgressProxy({host: one.url for host, one in stand_ins.items()}).running() as running:
        yield running


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return what sets the variables of proxies, and no others."""

    def use(**values: str) -> None:
        for name in NAMES:
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.lower(), raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        egress.through.cache_clear()

    use()
    yield use
    egress.through.cache_clear()


def send() -> str:
    async def run() -> str:
        async with aiohttp.ClientSession() as client:
            return await WhatsAppChannel().send(client, ACCOUNT, TEXT)

    return asyncio.run(run())


def complete(base_url: str = f"http://{MODEL}/v1") -> str:
    async def run() -> str:
        model = OpenAIModel("sk-key", base_url)
        try:
            answer = await model.complete(CompletionRequest("gpt-6-luna", (ChatMessage("user", "Hi"),), 500, 20))
        finally:
            await model.close()
        return answer.text

    return asyncio.run(run())


def ask_everybody() -> None:
    """Ask the model, send, test a connection and check the model's health, each with success."""
    assert complete()
    assert send()
    bot = BotFactory.build(channel="whatsapp", account_id=PHONE_NUMBER_ID, credentials=ACCOUNT.credentials)
    assert try_connection(bot).problems == ()
    assert asyncio.run(ask()) is True


def test_everybody_is_asked_through_the_proxy(environment: Callable[..., None], proxy: EgressProxy) -> None:
    environment(HTTP_PROXY=proxy.url)
    ask_everybody()
    assert {(method, host) for method, host, _ in proxy.asked} == {
        ("POST", MODEL), ("GET", MODEL), ("POST", GRAPH), ("GET", GRAPH),
    }  # fmt: skip
    assert {who for *_, who in proxy.asked} == {""}


def test_the_proxy_is_told_who_asks_and_nobody_else_is(environment: Callable[..., None], proxy: EgressProxy) -> None:
    environment(http_proxy=proxy.url.replace("//", f"//egress:{PASSWORD}@"))
    ask_everybody()
    assert {who for *_, who in proxy.asked} == {basic()}
    assert PASSWORD not in redact(f"proxy {PASSWORD}")


@pytest.mark.skipif(shutil.which("tinyproxy") is None, reason="not installed here: tinyproxy")
@pytest.mark.processes
def test_a_real_proxy_that_wants_to_know_who_asks(
    environment: Callable[..., None], proxy: EgressProxy, tmp_path: Path
) -> None:
    with running_tinyproxy(tmp_path, proxy) as url:
        environment(HTTP_PROXY=url)
        ask_everybody()
        assert {host for _, host, _ in proxy.asked} == {MODEL, GRAPH}


def test_what_no_proxy_names_is_asked_directly(
    environment: Callable[..., None], proxy: EgressProxy, settings: Settings
) -> None:
    environment(HTTP_PROXY=proxy.url, NO_PROXY="other.example,.invalid")
    with pytest.raises(SendError, match="unreachable"):
        send()
    assert asyncio.run(ask()) is False
    assert proxy.asked == []


def test_this_machine_is_always_asked_directly(
    environment: Callable[..., None], proxy: EgressProxy, stand_ins: dict[str, StandIn]
) -> None:
    environment(HTTP_PROXY=proxy.url, ALL_PROXY=proxy.url)
    assert complete(f"{stand_ins[MODEL].url}/v1")
    assert proxy.asked == []


def test_a_proxy_that_opens_no_tunnel_is_an_outage_and_nothing_was_sent(
    environment: Callable[..., None], proxy: EgressProxy, settings: Settings
) -> None:
    environment(HTTPS_PROXY=proxy.url)
    settings.WHATSAPP_API_URL = f"https://{GRAPH}/v26.0"
    with pytest.raises(SendError) as caught:
        send()
    assert (caught.value.code, caught.value.retryable, caught.value.uncertain) == ("unreachable", True, False)
    with pytest.raises(AppError):
        complete(f"https://{MODEL}/v1")
    assert {(method, host) for method, host, _ in proxy.asked} == {
        ("CONNECT", f"{GRAPH}:443"),
        ("CONNECT", f"{MODEL}:443"),
    }


@pytest.mark.parametrize(
    ("variables", "url", "expected"),
    [
        ({"HTTPS_PROXY": "http://proxy:3128"}, "https://api.example.com/v1", "http://proxy:3128"),
        ({"https_proxy": "proxy:3128"}, "https://api.example.com/v1", "http://proxy:3128"),
        ({"HTTP_PROXY": "http://proxy:3128"}, "https://api.example.com/v1", None),
        ({"ALL_PROXY": "http://proxy:3128"}, "https://api.example.com/v1", "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, "https://api.example.com/v1", None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.com"}, "https://api.example.com/v1", None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.com"}, "https://example.org/v1", "http://proxy:3128"),
        ({"HTTPS_PROXY": ""}, "https://api.example.com/v1", None),
        ({"HTTP_PROXY": "http://proxy:3128"}, "http://127.0.0.1:8080/v1", None),
        ({"HTTP_PROXY": "http://proxy:3128"}, "http://[::1]:8080/v1", None),
    ],
)  # fmt: skip
def test_which_proxy_a_url_is_asked_through(
    environment: Callable[..., None], variables: dict[str, str], url: str, expected: str | None
) -> None:
    environment(**variables)
    proxy = egress.through(url).get("proxy")
    assert (str(proxy).rstrip("/") if proxy else None) == expected

"""Testing a bot's connection: what the provider says of it, what each failure means, in the admin and as a command."""

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import get_language, override
from pytest_django.fixtures import Settings

from bot.channels.connection import Account, Connection
from bot.channels.registry import CHANNELS
from bot.channels.whatsapp import api
from bot.channels.whatsapp.connection import SENTENCES
from bot.dev.standins import StandIn
from bot.models import Bot
from bot.operations.connection_test import try_connection
from bot.tests.operations.trying import TOKEN, check, failure, graph_error, shop


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn.start("whatsapp") as stand_in:
        yield stand_in


@pytest.fixture
def graph(running: StandIn, settings: Settings) -> StandIn:
    running.reset()
    settings.WHATSAPP_API_URL = f"{running.url}/v26.0"
    return running


def codes(bot: Bot) -> list[str]:
    return [problem.code for problem in try_connection(bot).problems]


def test_no_repr_shows_a_number_or_a_secret(graph: StandIn) -> None:
    assert "555" not in repr(check())
    graph.script([graph_error(190)])
    assert "canary" not in repr(failure())


@pytest.mark.django_db
def test_a_bot_that_works_has_neither_problems_nor_hints(graph: StandIn) -> None:
    outcome = try_connection(shop(contact="+15550100001"))
    assert outcome.connection is not None
    assert (outcome.problems, outcome.hints) == ((), ())


@pytest.mark.django_db
def test_secrets_that_only_webhooks_need_are_missed_too(graph: StandIn) -> None:
    bot = shop(credentials={"access_token": TOKEN, "verify_token": " "})
    outcome = try_connection(bot)
    assert outcome.connection is not None
    assert [problem.code for problem in outcome.problems] == ["app_secret_missing", "verify_token_missing"]
    assert "“App secret” is missing, and without it no webhook is accepted" in outcome.problems[0].sentence
    assert codes(shop(slug="new", credentials={})) == [
        "access_token_missing", "app_secret_missing", "verify_token_missing",
    ]  # fmt: skip


@pytest.mark.django_db
def test_secrets_of_another_key_are_said_to_be_that(graph: StandIn, settings: Settings) -> None:
    bot = shop()
    settings.SECRET_KEY = "another key"
    bot = Bot.objects.get(pk=bot.pk)
    assert codes(bot) == ["credentials_unreadable"]
    assert graph.requests() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("contact", "hinted"), [("+15550100001", False), ("", False), ("+4930123456", True), ("no number", False)]
)
def test_a_contact_that_is_another_number_is_a_hint(graph: StandIn, contact: str, hinted: bool) -> None:
    outcome = try_connection(shop(contact=contact))
    assert outcome.problems == ()
    assert [("+4930123456" in hint, "+15550100001" in hint) for hint in outcome.hints] == [(True, True)] * hinted


@pytest.mark.django_db
def test_what_is_said_is_in_the_language_of_who_asks(monkeypatch: pytest.MonkeyPatch, graph: StandIn) -> None:
    sentence = lazy(lambda: f"{get_language()}: no", str)()
    monkeypatch.setitem(SENTENCES, "token_refused", sentence)
    graph.script([graph_error(190), graph_error(190)])
    bot = shop()
    for language in ("de", "es"):
        with override(language):
            assert try_connection(bot).problems[0].sentence.startswith(f"{language}: ")


@pytest.mark.django_db
def test_a_bot_that_is_off_or_paused_is_told_so(graph: StandIn) -> None:
    off, paused = try_connection(shop(is_active=False, paused_at=timezone.now())).hints[::-1]
    assert "webhook URL does not exist" in off
    assert "paused" in paused


@pytest.mark.django_db
def test_a_name_server_that_hangs_is_not_waited_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.WHATSAPP_API_URL = "http://graph.invalid/v26.0"
    monkeypatch.setattr(api, "READ_TIMEOUT", aiohttp.ClientTimeout(total=0.5, connect=0.3))
    answered = threading.Event()

    def look_up(*args: Any, **kwargs: Any) -> Any:
        answered.wait(20)
        answered.set()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        assert codes(shop()) == ["unreachable"]
        assert not answered.is_set(), "the test waited for the name server"
    finally:
        answered.set()


@pytest.mark.django_db
def test_the_log_tells_what_came_of_it_and_nothing_more(graph: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bot = shop(contact="+4930123456")
    try_connection(bot)
    graph.script([graph_error(190)])
    try_connection(bot)

    told = [record for record in caplog.records if record.msg == "connection_tested"]
    fields = ("levelname", "bot", "outcome", "error_code", "provider_request_id")
    assert [tuple(vars(record)[name] for name in fields) for record in told] == [
        ("INFO", "shop", "connected", "", ""),
        ("WARNING", "shop", "token_refused", "190", "Axyz"),
    ]
    # (Times and ids of threads are numbers that may have any digits.)
    clocks = {"created", "msecs", "relativeCreated", "thread", "process"}
    said = [{name: value for name, value in vars(record).items() if name not in clocks} for record in caplog.records]
    everything = str(said)
    assert not any(word in everything for word in ("canary", "555", "4930123456", "Stand-in"))


def test_every_channel_can_be_tested_and_says_something() -> None:
    async def ask() -> Connection:
        async with aiohttp.ClientSession() as client:
            return await CHANNELS["console"].check(client, Account("demo"))

    assert asyncio.run(ask()).sentence

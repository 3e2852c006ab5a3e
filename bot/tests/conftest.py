"""A scripted model and channel, a bot on it, Alice, who may talk to it, and a way to ask it as somebody."""

import os
from collections.abc import Callable, Generator, Iterator
from itertools import count
from typing import Any

import pytest
from django.db import connection

from bot.channels.registry import CHANNELS
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.support.browser import Browser
from bot.tests.support.factories import ALICE, BotFactory, event, whitelisted
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from bot.tests.support.inline import as_if_outside
from usage import prices
from usage.days import today
from usage.models import ModelPrice
from users.models import User

# Where the coverage of the processes that tests start is measured as well. Elsewhere the same processes run the same
# code: each start would take two thirds longer.
MEASURED = {
    "test_checks",
    "test_front_processes",
    "test_heartbeats",
    "test_metrics_processes",
    "test_processes",
    "test_standins",
}


@pytest.fixture(scope="module", autouse=True)
def processes_at_full_speed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Start a module's processes without coverage, unless it is one of the measured ones."""
    with pytest.MonkeyPatch.context() as patch:
        if request.module.__name__.rpartition(".")[2] not in MEASURED:
            # (So coverage tells a new process that it is to be measured.)
            patch.delitem(os.environ, "COVERAGE_PROCESS_CONFIG", raising=False)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a test with a browser fails, keep a picture of what it showed, and say where."""
    report = yield
    fixtures = getattr(item, "funcargs", {})
    if report.failed and isinstance(browser := fixtures.get("browser"), Browser):
        report.sections.append(("Browser", browser.keep(fixtures["tmp_path"] / "browser.png")))
    return report


@pytest.fixture
def channel(monkeypatch: pytest.MonkeyPatch) -> ScriptedChannel:
    scripted = ScriptedChannel()
    monkeypatch.setitem(CHANNELS, "console", scripted)
    return scripted


@pytest.fixture
def bot(channel: ScriptedChannel) -> ActiveBot:
    return BotFactory.active(slug="shop", system_prompt="Be kind.")


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
def turns_db(request: pytest.FixtureRequest) -> Iterator[None]:
    """A database for turns: on SQLite in the test's own transaction and thread, on PostgreSQL as in production.

    Where a test asks for transactions it has them on both.
    """
    if not connection.in_atomic_block:
        yield
        return
    with as_if_outside():
        yield


@pytest.fixture
def alice(turns_db: None) -> User:
    return whitelisted(ALICE, name="Alice")


@pytest.fixture
def ask(
    turns_db: None, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, settings: Any
) -> Callable[..., str]:
    """Send a text through a whole turn, as Alice or from another address, and return what is answered to it."""
    settings.REDIS_URL = None  # so that each turn's worker begins to count messages anew
    numbers = count()

    def ask(text: str, sender: str = ALICE, to: ActiveBot = bot) -> str:
        already = len(channel.texts)
        accept.accept(to, [event(f"asked-{next(numbers)}", address=sender, text=text)])
        work_until(model=model)
        return "\n".join(channel.texts[already:])

    return ask


@pytest.fixture
def priced(settings: Any, transactional_db: None) -> Iterator[None]:
    """A token costs a micro-dollar, an answer has at most 100."""
    settings.LLM_PROVIDER = "openai"
    settings.RATE_LIMIT_PER_USER = 10_000
    settings.MAX_REPLY_TOKENS = 100
    prices.forget_prices()
    ModelPrice.objects.create(
        model="gpt-6-luna",
        valid_from=today(),
        input_micros_per_million=1_000_000,
        output_micros_per_million=1_000_000,
    )
    yield
    prices.forget_prices()

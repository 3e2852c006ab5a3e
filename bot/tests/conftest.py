"""A scripted model and channel, a bot on it, Alice, who may talk to it, and a way to ask it as somebody."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from bot import inbox
from bot.channels.registry import CHANNELS
from bot.directory import ActiveBot
from bot.tests.factories import ALICE, BotFactory, event, whitelisted
from bot.tests.fakes import ScriptedChannel, ScriptedModel, work_until
from users.models import User


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
def alice(transactional_db: None) -> User:
    return whitelisted(ALICE, name="Alice")


@pytest.fixture
def ask(
    transactional_db: None, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, settings: Any
) -> Callable[..., str]:
    """Send a text through a whole turn, as Alice or from another address, and return what is answered to it."""
    settings.REDIS_URL = None  # so that each turn's worker begins to count messages anew
    numbers = count()

    def ask(text: str, sender: str = ALICE, to: ActiveBot = bot) -> str:
        already = len(channel.texts)
        inbox.accept(to, [event(f"asked-{next(numbers)}", address=sender, text=text)])
        work_until(model=model)
        return "\n".join(channel.texts[already:])

    return ask

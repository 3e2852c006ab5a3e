"""A scripted model and channel, a bot on it, and Alice, who may talk to it."""

import pytest

from bot.channels.registry import CHANNELS
from bot.directory import ActiveBot
from bot.tests.factories import ALICE, BotFactory, whitelisted
from bot.tests.fakes import ScriptedChannel, ScriptedModel
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

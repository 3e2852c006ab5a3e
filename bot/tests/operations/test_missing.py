"""What a bot's channel needs and nobody has entered."""

from typing import Any

from bot.models import Bot
from bot.models.encryption import Unreadable
from bot.operations.missing import missing_settings


def test_what_was_not_entered_is_named() -> None:
    bot = whatsapp(credentials={"access_token": "EAA"})
    labels = missing_settings(bot)
    assert labels[0] == "Phone number ID"
    assert "App secret" in labels and "Access token" not in labels


def test_a_channel_that_needs_nothing_or_is_not_known_misses_nothing() -> None:
    assert missing_settings(Bot(channel="console")) == []
    assert missing_settings(Bot(channel="pigeons")) == []


def test_secrets_of_another_key_miss_that_key() -> None:
    assert missing_settings(whatsapp(credentials=Unreadable("x"))) == ["the former SECRET_KEY"]


def whatsapp(**fields: Any) -> Bot:
    return Bot(channel="whatsapp", **fields)

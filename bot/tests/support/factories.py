"""Bots, messages and a cast of people for the bot's tests."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone

from bot.channels.events import InboundEvent
from bot.models import Bot, InboundMessage
from bot.queue.snapshot import ActiveBot, find_bot, forget
from users.models import User

ALICE = "+4915112345678"
BOB = "+4915187654321"
STRANGER = "+12025550123"
APP_SECRET = "an app secret"
ACCESS_TOKEN = "EAAtoken"
VERIFY_TOKEN = "a verify token"
PHONE_NUMBER_ID = "100200300"


class BotFactory(factory.django.DjangoModelFactory[Bot]):
    """A bot on the console channel."""

    class Meta:
        model = Bot

    slug = factory.Sequence(lambda number: f"bot-{number}")
    name = factory.LazyAttribute(lambda bot: bot.slug.title())
    channel = "console"

    @classmethod
    def active(cls, **fields: Any) -> ActiveBot:
        """Return a new bot as webhooks and workers see it."""
        bot = cls.create(**fields)
        forget()
        found = find_bot(bot.channel, bot.slug)
        assert found is not None
        return found


class WhatsAppBotFactory(BotFactory):
    """A bot with a WhatsApp account."""

    channel = "whatsapp"
    account_id = PHONE_NUMBER_ID
    credentials = factory.LazyFunction(
        lambda: {"app_secret": APP_SECRET, "access_token": ACCESS_TOKEN, "verify_token": VERIFY_TOKEN}
    )


class InboundFactory(factory.django.DjangoModelFactory[InboundMessage]):
    """A pending text message."""

    class Meta:
        model = InboundMessage

    bot = factory.SubFactory(BotFactory)
    external_id = factory.Sequence(lambda number: f"in-{number}")
    address = ALICE
    kind = "text"
    payload = factory.LazyFunction(lambda: {"text": "Hello"})
    received_at = factory.LazyFunction(timezone.now)
    available_at = factory.LazyFunction(lambda: timezone.now() - timedelta(milliseconds=1))


def whitelisted(number: str = ALICE, **fields: Any) -> User:
    """Return a person who may talk to the bots."""
    return User.objects.create_user(number, is_whitelisted=True, **fields)


def event(external_id: str = "wamid.1", **fields: Any) -> InboundEvent:
    """Return a parsed text message of Alice."""
    return InboundEvent(**{"external_id": external_id, "address": ALICE, "kind": "text", "text": "Hello", **fields})


def whatsapp_message(text: str = "Hello", number: str = ALICE, **fields: Any) -> dict[str, Any]:
    """Return one item of messages[] as the Cloud API sends it."""
    sent = str(int(timezone.now().timestamp()))
    message = {"from": number[1:], "id": "wamid.1", "timestamp": sent, "type": "text", "text": {"body": text}}
    return {**message, **fields}


def whatsapp_value(*, account: str = PHONE_NUMBER_ID, **lists: Any) -> dict[str, Any]:
    """Return one change's value: messages=[…], statuses=[…]."""
    return {"messaging_product": "whatsapp", "metadata": {"phone_number_id": account}, **lists}


def whatsapp_body(*values: dict[str, Any]) -> bytes:
    """Return a webhook body with one entry a value."""
    entries = [
        {"id": str(number), "changes": [{"field": "messages", "value": value}]} for number, value in enumerate(values)
    ]
    return json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    """Return the X-Hub-Signature-256 of a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()

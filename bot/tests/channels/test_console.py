"""The console delivers nothing and accepts no webhook."""

import asyncio

import aiohttp
import pytest

from bot.channels.connection import Account
from bot.channels.events import InvalidBody, WebhookRequest
from bot.channels.registry import get_channel
from bot.channels.sending import OutboundText


def test_the_console_sends_without_a_provider() -> None:
    async def send() -> str:
        async with aiohttp.ClientSession() as client:
            return await get_channel("console").send(
                client, Account("demo"), OutboundText(7, "+4915123456789", "Hello")
            )

    assert asyncio.run(send()) == "console-7"


def test_the_console_accepts_no_webhook() -> None:
    console = get_channel("console")
    assert console.handshake(Account("demo"), {"hub.mode": "subscribe"}) is None
    assert console.verify(Account("demo"), WebhookRequest({}, b"{}")) is False
    with pytest.raises(InvalidBody):
        console.parse(Account("demo"), b"{}")

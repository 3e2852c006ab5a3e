"""Test a bot's connection against a stand-in of the Cloud API."""

import asyncio
import traceback
from typing import Any

import aiohttp
import pytest

from bot.channels.connection import Account, CheckError, Connection
from bot.channels.whatsapp import WhatsAppChannel
from bot.models import Bot
from bot.tests.support.factories import PHONE_NUMBER_ID, WhatsAppBotFactory

# Looks like no token, so that nothing but care keeps it out of a log.
TOKEN = "canary-of-the-token"
SECRETS = {"access_token": TOKEN, "app_secret": "canary-of-the-app", "verify_token": "canary-of-the-webhook"}
ACCOUNT = Account("shop", PHONE_NUMBER_ID, SECRETS)


def check(account: Account = ACCOUNT) -> Connection:
    async def run() -> Connection:
        async with aiohttp.ClientSession() as client:
            return await WhatsAppChannel().check(client, account)

    return asyncio.run(run())


def failure(account: Account = ACCOUNT) -> CheckError:
    with pytest.raises(CheckError) as caught:
        check(account)
    assert "canary" not in "".join(traceback.format_exception(caught.value)) + caught.value.sentence
    return caught.value


def graph_error(code: int, status: int = 400, **more: Any) -> dict[str, Any]:
    error = {"message": f"(#{code}) {TOKEN}", "type": "OAuthException", "code": code, "fbtrace_id": "Axyz", **more}
    return {"status": status, "json": {"error": error}}


def shop(**fields: Any) -> Bot:
    return WhatsAppBotFactory.create(**{"slug": "shop", "credentials": SECRETS, **fields})

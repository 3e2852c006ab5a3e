"""Bots are paused and resumed by what was entered meanwhile."""

import pytest
from django.test import Client
from django.urls import reverse

from bot.channels.sending import SendError
from bot.models import Bot
from bot.queue import accept
from bot.queue.snapshot import ActiveBot
from bot.tests.queue.paused import is_paused, the_lease_is_free
from bot.tests.support.factories import (
    WhatsAppBotFactory,
    event,
)
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, in_thread, states, statuses, work_until
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db"), pytest.mark.promise("pause")]

TOKEN_REFUSED = SendError("190", credentials_refused=True)


@pytest.fixture
def staff(client: Client, alice: User) -> Client:
    client.force_login(User.objects.create_superuser("+4915112345600", "a good password"))
    return client


def test_a_token_that_was_replaced_meanwhile_pauses_nothing(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    async def replace_it(message: object) -> None:
        await in_thread(lambda: Bot.objects.get().save())
        raise TOKEN_REFUSED

    channel.enqueue(replace_it)
    accept.accept(bot, [event("m1")])
    work_until(lambda: statuses() == ["queued"] and len(channel.sent) == 1, model=model)
    assert not is_paused()
    the_lease_is_free()
    work_until(model=model)

    assert channel.texts == ["Echo: Hello"] * 2
    assert states() == [("done", "")]


@pytest.mark.parametrize("correction", [{"credential_access_token": "EAAnew"}, {"account_id": "42"}])
def test_entering_a_new_token_or_account_resumes_the_bot(staff: Client, correction: dict[str, str]) -> None:
    bot = WhatsAppBotFactory.create(paused_at="2026-01-01T00:00Z", pause_reason="CHANNEL_ERROR:190")
    url = reverse("admin:bot_bot_change", args=(bot.pk,))
    page = staff.get(url).content.decode()
    assert "CHANNEL_ERROR:190" in page
    form = {
        "name": bot.name, "slug": bot.slug, "channel": bot.channel, "is_active": "on", "account_id": bot.account_id,
        "system_prompt": "", "model": "", "burst_wait_seconds": "0", "tells_strangers": "on",
    }  # fmt: skip

    assert staff.post(url, form).status_code == 302
    assert is_paused(), "something else was changed"
    assert staff.post(url, {**form, **correction}).status_code == 302
    assert not is_paused()

"""A row that the running code does not know (of a newer version, or of a channel that is gone) concerns itself only."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bot.models import Bot, InboundMessage, Lease, OutboundMessage
from bot.models.encryption import cipher
from bot.operations.connection_test import try_connection
from bot.operations.purge import purge_expired
from bot.queue import accept, snapshot
from bot.queue.notices import notify_owners
from bot.queue.snapshot import ActiveBot
from bot.tests.support.factories import (
    ALICE,
    STRANGER,
    BotFactory,
    InboundFactory,
    WhatsAppBotFactory,
    event,
    signature,
    whitelisted,
)
from bot.tests.support.fakes import ScriptedChannel, ScriptedModel, work_until
from bot.worker import claims
from conversations.models import Conversation
from users.models import User
from users.tests.factories import alice as owner_alice

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db")]

BODY = b'{"object": "whatsapp_business_account", "entry": []}'


@pytest.fixture(params=["pigeon", "Tele gram"])
def stray(request: pytest.FixtureRequest) -> Bot:
    """Return an active bot whose channel no adapter is for."""
    return BotFactory.create(slug="stray", name="Stray", channel=request.param, account_id="9")


@pytest.fixture
def owner(client: Client) -> User:
    user = owner_alice()
    client.force_login(user)
    return user


def post(client: Client, slug: str) -> int:
    url = reverse("webhook", args=("whatsapp", slug))
    headers = {"X-Hub-Signature-256": signature(BODY)}
    return client.post(url, BODY, content_type="application/json", headers=headers).status_code


def test_other_bots_take_webhooks_and_the_log_says_once_who_is_left_out(
    client: Client, stray: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    WhatsAppBotFactory.create(slug="shop")
    assert post(client, "shop") == 200
    assert post(client, "stray") == 403
    snapshot.current(-1.0)
    told = [record for record in caplog.records if record.getMessage() == "channel_unknown"]
    assert [(vars(record)["bot"], vars(record)["channel"]) for record in told] == [("stray", stray.channel)]


def test_other_bots_answer_and_the_stray_ones_messages_wait_without_being_asked_for_at_every_poll(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel, stray: Bot
) -> None:
    InboundFactory.create(bot=stray, address=STRANGER)
    accept.accept(bot, [event(text="Hi")])
    snapshot.forget()
    work_until(lambda: OutboundMessage.objects.filter(status="sent").exists(), model=model)

    assert channel.texts == ["Echo: Hi"]
    waiting = InboundMessage.objects.get(bot=stray)
    assert (waiting.state, waiting.attempts) == ("pending", 0)
    left = Lease.objects.get(bot=stray)
    assert left.worker == ""
    assert timedelta() < left.expires_at - timezone.now() <= claims.LEFT_OUT_TIME

    # Repaired, it answers what has come in meanwhile.
    Bot.objects.filter(pk=stray.pk).update(channel="console", updated_at=timezone.now())
    Lease.objects.filter(bot=stray).update(expires_at=timezone.now())
    snapshot.forget()
    assert [turn.bot.slug for turn in claims.claim("w", 5)] == ["stray"]


def test_every_page_of_the_desk_opens_and_says_what_is_wrong(client: Client, owner: User, stray: Bot) -> None:
    message = InboundFactory.create(bot=stray, address=ALICE)
    page = reverse("admin:bot_bot_change", args=(stray.pk,))
    for url in (
        reverse("admin:index"),
        reverse("admin:bot_bot_changelist"),
        page,
        reverse("admin:bot_inboundmessage_changelist"),
        reverse("admin:bot_inboundmessage_change", args=(message.pk,)),
        reverse("admin:users_user_changelist"),
        reverse("admin:users_user_change", args=(owner.pk,)),
        reverse("simulator:chat"),
    ):
        answer = client.get(url, follow=True)
        assert answer.status_code == 200, url
    assert "is not known here" in client.get(reverse("admin:index")).content.decode()
    assert "is not known here" in client.get(reverse("admin:bot_bot_changelist")).content.decode()
    assert "choose another channel" in client.get(page).content.decode()
    asked = client.post(
        reverse("admin:bot_bot_changelist"), {"action": "pause", "_selected_action": [stray.pk]}, follow=True
    )
    assert asked.status_code == 200
    assert [problem.code for problem in try_connection(stray).problems] == ["channel_unknown"]


def form_of(bot: Bot, **changes: Any) -> dict[str, Any]:
    fields = {"name": bot.name, "slug": bot.slug, "channel": bot.channel, "is_active": "on", "burst_wait_seconds": 0}
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"channel": "whatsapp"}, ("whatsapp", True)), ({"is_active": None}, (None, False))],
    ids=["another channel", "switched off"],
)
def test_it_can_be_repaired_on_its_page(
    client: Client, owner: User, stray: Bot, changes: dict[str, Any], expected: tuple[str | None, bool]
) -> None:
    answer = client.post(reverse("admin:bot_bot_change", args=(stray.pk,)), form_of(stray, **changes))
    assert answer.status_code == 302, answer.content.decode()
    after = Bot.objects.get(pk=stray.pk)
    assert (after.channel, after.is_active) == (expected[0] or stray.channel, expected[1])


def test_a_channel_that_nobody_knows_cannot_be_entered_by_the_same_way(client: Client, owner: User, stray: Bot) -> None:
    url = reverse("admin:bot_bot_change", args=(stray.pk,))
    assert client.post(url, form_of(stray, channel="carrier")).status_code == 200
    assert Bot.objects.get(pk=stray.pk).channel == stray.channel


def test_notices_export_erasure_and_purge_go_on(bot: ActiveBot, stray: Bot, model: ScriptedModel) -> None:
    owner = owner_alice()
    whitelisted(STRANGER)
    InboundFactory.create(bot=stray, address=owner.phone_number, payload={"text": "to the stray one"})
    Lease.objects.create(bot=stray, address=str(owner.phone_number), expires_at=timezone.now())
    assert notify_owners("budget:x", "Half of it is used.") == 0
    told = StringIO()
    call_command("export", owner.phone_number, stdout=told)
    assert "to the stray one" in told.getvalue()
    InboundFactory.create(bot=stray, address=STRANGER, payload={"text": "forget me"})
    call_command("forget", STRANGER, "--yes", stdout=StringIO())
    assert not InboundMessage.objects.filter(address=STRANGER).exists()
    InboundMessage.objects.filter(bot=stray).update(
        state="done", received_at=timezone.now() - timedelta(days=30), finished_at=timezone.now() - timedelta(days=30)
    )
    purge_expired()
    assert not InboundMessage.objects.filter(bot=stray).exists()


# --- what else a newer version may have written ---


@pytest.mark.parametrize("stored", [b'["a", "list"]', b'{"access_token": {"v": 1}}', b"no JSON"])
def test_credentials_in_a_shape_that_is_not_known_are_this_bots_matter_only(
    client: Client, owner: User, stored: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    broken = WhatsAppBotFactory.create(slug="broken", account_id="8")
    WhatsAppBotFactory.create(slug="shop")
    token = cipher().encrypt(stored).decode()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE bot_bot SET credentials = %s WHERE id = %s", [token, broken.pk])
    assert post(client, "shop") == 200
    assert post(client, "broken") == 403
    assert "credentials_unreadable" in caplog.text
    for url in (reverse("admin:index"), reverse("admin:bot_bot_change", args=(broken.pk,))):
        assert client.get(url).status_code == 200
    assert "secrets cannot be read" in client.get(reverse("admin:index")).content.decode()


def test_states_statuses_codes_and_roles_that_are_not_known_are_shown_as_they_are(client: Client, owner: User) -> None:
    bot = BotFactory.create(slug="shop")
    message = InboundFactory.create(bot=bot, address=ALICE)
    InboundMessage.objects.update(state="parked", error_code="NEW_CODE:7", turn_key=message.pk)
    part = OutboundMessage.objects.create(
        bot=bot, address=ALICE, turn_key=message.pk, part=1, text="Hello", status="queued", error_code="NEW_CODE"
    )
    odd = whitelisted(STRANGER)
    User.objects.filter(pk=odd.pk).update(role="auditor", name="Otto")
    Conversation.objects.create(user=odd, bot="shop", expires_at=timezone.now() + timedelta(days=1))
    for url in (
        reverse("admin:index"),
        reverse("admin:bot_inboundmessage_changelist"),
        reverse("admin:bot_inboundmessage_change", args=(message.pk,)),
        reverse("admin:bot_outboundmessage_changelist"),
        reverse("admin:bot_outboundmessage_change", args=(part.pk,)),
        reverse("admin:users_user_changelist"),
        reverse("admin:users_user_change", args=(odd.pk,)),
    ):
        assert client.get(url).status_code == 200, url
    assert "auditor" in client.get(reverse("admin:users_user_changelist")).content.decode()
    told = StringIO()
    call_command("trace", message.external_id, stdout=told)
    assert "queued" in told.getvalue()


def test_who_has_a_role_that_is_not_known_may_chat_and_nothing_more_and_others_see_them_listed(
    alice: User, bot: ActiveBot, channel: ScriptedChannel, model: ScriptedModel
) -> None:
    User.objects.filter(pk=alice.pk).update(role="auditor")
    accept.accept(bot, [event("1", text="/me"), event("2", text="/people")])
    work_until(model=model)
    assert channel.texts, "the turn ended with an answer"
    assert not InboundMessage.objects.filter(state="dead").exists()

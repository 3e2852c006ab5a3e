"""What a provider is answered, and what is stored before it is."""

import json
from typing import Any
from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from bot import inbox
from bot.models import InboundMessage, OutboundMessage
from bot.tests.factories import (
    ALICE,
    VERIFY_TOKEN,
    BotFactory,
    WhatsAppBotFactory,
    signature,
    whatsapp_body,
    whatsapp_message,
    whatsapp_value,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def bot() -> Any:
    return WhatsAppBotFactory.create(slug="shop")


def url(bot: Any) -> str:
    return reverse("webhook", args=(bot.channel, bot.slug))


def post(client: Client, bot: Any, body: bytes, signed: str | None = None, **headers: str) -> Any:
    given = signature(body) if signed is None else signed
    return client.post(
        url(bot), body, content_type="application/json", headers={"X-Hub-Signature-256": given, **headers}
    )


def test_a_signed_message_is_stored_and_answered_with_200(client: Client, bot: Any) -> None:
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message("Hi there")]))

    answer = post(client, bot, body)

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    message = InboundMessage.objects.get()
    assert (message.bot_id, message.external_id, message.address, message.kind) == (bot.pk, "wamid.1", ALICE, "text")
    assert (message.payload, message.state, message.attempts) == ({"text": "Hi there"}, "pending", 0)
    assert message.sent_at is not None
    assert message.available_at == message.received_at


def test_one_message_costs_one_statement(client: Client, bot: Any, django_assert_num_queries: Any) -> None:
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message()]))
    post(client, bot, b"{}")  # the bot is known now

    with django_assert_num_queries(1):
        assert post(client, bot, body).status_code == 200


def test_every_message_of_every_entry_is_stored_once_however_often_it_is_delivered(client: Client, bot: Any) -> None:
    values = [
        whatsapp_value(messages=[whatsapp_message(id=f"wamid.{entry}.{item}") for item in range(3)])
        for entry in range(2)
    ]
    for _ in range(3):
        assert post(client, bot, whatsapp_body(*values)).status_code == 200

    assert InboundMessage.objects.count() == 6


@pytest.mark.parametrize("signed", ["", "sha256=", "sha256=00", "sha1=abc", "sha256=é"])
def test_a_wrong_or_missing_signature_gets_403_and_no_row(client: Client, bot: Any, signed: str) -> None:
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message()]))

    answer = post(client, bot, body, signed)

    assert answer.status_code == 403
    assert answer.json() == {"status": "error", "code": "UNAUTHORIZED", "detail": "the signature is missing or wrong"}
    assert not InboundMessage.objects.exists()


def test_a_bot_without_a_secret_refuses_everything(client: Client) -> None:
    bot = WhatsAppBotFactory.create(credentials={})
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message()]))

    assert post(client, bot, body, signature(body, "")).status_code == 403
    assert not InboundMessage.objects.exists()


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"object": NaN}', b"\xff", b"[" * 50_000, b'{"a": ' + b"9" * 5_000 + b"}"]
)
def test_a_signed_body_that_is_not_the_channels_gets_400(client: Client, bot: Any, body: bytes) -> None:
    answer = post(client, bot, body)

    assert answer.status_code == 400
    assert answer.json()["code"] == "INVALID_INPUT"
    assert answer.json()["detail"]


def test_an_unknown_or_paused_bot_gets_404(client: Client, bot: Any) -> None:
    body = whatsapp_body()
    paused = WhatsAppBotFactory.create(is_active=False)

    assert client.post("/webhooks/whatsapp/nobody/", body, content_type="application/json").status_code == 404
    assert client.post(f"/webhooks/console/{bot.slug}/", body, content_type="application/json").status_code == 404
    assert post(client, paused, body).status_code == 404
    assert client.post("/webhooks/nothing", body, content_type="application/json").json()["code"] == "NOT_FOUND"


def test_a_body_over_the_cap_gets_413_and_a_large_one_within_it_is_taken(
    client: Client, bot: Any, settings: Any
) -> None:
    text = "x" * 3_000_000
    large = whatsapp_body(whatsapp_value(messages=[whatsapp_message(unknown=text)]))

    assert post(client, bot, large).status_code == 200
    assert InboundMessage.objects.count() == 1
    too_large = large + b" " * (settings.WEBHOOK_MAX_BYTES - len(large) + 1)
    answer = post(client, bot, too_large)

    assert answer.status_code == 413
    assert answer.json()["detail"] == "the body is larger than 4000000 bytes"


def test_a_malformed_item_is_quarantined_and_the_others_count(client: Client, bot: Any) -> None:
    good = [whatsapp_message(id="wamid.1"), whatsapp_message(id="wamid.3")]
    body = whatsapp_body(whatsapp_value(messages=[good[0], {"from": 5, "id": []}, good[1]]))

    for _ in range(2):
        assert post(client, bot, body).status_code == 200

    assert list(InboundMessage.objects.filter(state="pending").values_list("external_id", flat=True)) == [
        "wamid.1",
        "wamid.3",
    ]
    quarantined = InboundMessage.objects.get(state="quarantined")
    assert quarantined.payload["reason"]
    assert quarantined.error_code == "INVALID_INPUT"


def test_the_handshake_returns_the_challenge_to_who_knows_the_token(client: Client, bot: Any) -> None:
    good = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "12345"}

    assert client.get(url(bot), good).content == b"12345"
    assert client.get(url(bot), {**good, "hub.verify_token": "wrong"}).status_code == 403
    assert client.get(url(bot)).status_code == 403


def test_other_methods_get_405(client: Client, bot: Any) -> None:
    assert client.put(url(bot)).status_code == 405


def test_a_console_bot_has_no_webhook(client: Client) -> None:
    assert client.post(url(BotFactory.create()), b"{}", content_type="application/json").status_code == 403


def test_events_of_another_number_go_to_its_bot_only_when_it_trusts_the_same_secret(client: Client, bot: Any) -> None:
    sister = WhatsAppBotFactory.create(account_id="777")
    WhatsAppBotFactory.create(account_id="888", credentials={"app_secret": "another"})
    values = [
        whatsapp_value(account=account, messages=[whatsapp_message(id=f"wamid.{account}")])
        for account in ("777", "888", "999")
    ]

    assert post(client, bot, whatsapp_body(*values)).status_code == 200

    assert InboundMessage.objects.get().bot_id == sister.pk


def test_a_database_that_cannot_store_gets_503_and_nothing_is_half_written(client: Client, bot: Any) -> None:
    body = whatsapp_body(
        whatsapp_value(
            messages=[whatsapp_message()], statuses=[{"id": "wamid.out", "status": "sent", "recipient_id": "1"}]
        )
    )
    with patch.object(inbox, "_apply", side_effect=OperationalError("the disk is full at host db.internal")):
        answer = post(client, bot, body)

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "db.internal" not in answer.content.decode()
    assert not InboundMessage.objects.exists()


def test_a_status_moves_its_message_forward_and_never_back(client: Client, bot: Any) -> None:
    outbound = OutboundMessage.objects.create(
        bot=bot, address=ALICE, turn_key=1, part=1, text="An answer", status="sending"
    )

    def tell(status: str, **fields: Any) -> None:
        item = {"id": "wamid.out", "status": status, "timestamp": "1700000000", "recipient_id": ALICE[1:], **fields}
        assert post(client, bot, whatsapp_body(whatsapp_value(statuses=[item]))).status_code == 200
        outbound.refresh_from_db()

    tell("delivered")
    assert outbound.status == "sending", "nothing says yet that wamid.out is this message"
    tell("delivered", biz_opaque_callback_data=str(outbound.pk))
    assert (outbound.status, outbound.external_id, outbound.text) == ("delivered", "wamid.out", "")
    tell("sent")
    assert outbound.status == "delivered"
    tell("read")
    assert outbound.status == "read"
    tell("failed", errors=[{"code": 131026}])
    assert (outbound.status, outbound.error_code) == ("read", "")


def test_an_echoed_id_of_another_bots_message_changes_nothing(client: Client, bot: Any) -> None:
    other = WhatsAppBotFactory.create(account_id="888", credentials={"app_secret": "another"})
    outbound = OutboundMessage.objects.create(bot=other, address=ALICE, turn_key=1, part=1, text="x", status="sending")
    item = {"id": "wamid.out", "status": "read", "recipient_id": "1", "biz_opaque_callback_data": str(outbound.pk)}

    assert post(client, bot, whatsapp_body(whatsapp_value(statuses=[item]))).status_code == 200

    outbound.refresh_from_db()
    assert outbound.status == "sending"


def test_hostile_text_is_stored_without_what_no_database_holds(client: Client, bot: Any) -> None:
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message("a\u0000b\ud800c\u202e")]))
    assert b"\\u0000" in body
    assert b"\\ud800" in body

    assert post(client, bot, body).status_code == 200
    assert InboundMessage.objects.get().payload["text"] == "abc\u202e"


def test_the_body_of_an_error_is_json_also_for_a_wrong_path(client: Client) -> None:
    assert json.loads(client.get("/webhooks/").content)["status"] == "error"

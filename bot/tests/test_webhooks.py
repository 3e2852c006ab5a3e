"""What a provider is answered, and what is stored before it is."""

import hmac
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
from bot.webhooks import REFUSED

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
    assert answer.json() == {"status": "error", "code": "UNAUTHORIZED", "detail": REFUSED}
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


def test_nobody_learns_which_bots_exist(client: Client, bot: Any) -> None:
    """Unknown, not active, of another channel, without a webhook, and unsigned: one answer to all, for each method."""
    inactive, console = WhatsAppBotFactory.create(is_active=False), BotFactory.create()
    urls = {
        "unsigned": url(bot),
        "unknown": "/webhooks/whatsapp/nobody/",
        "unknown channel": f"/webhooks/pigeon/{bot.slug}/",
        "another channel": f"/webhooks/console/{bot.slug}/",
        "console": url(console),
        "not active": url(inactive),
    }
    good = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN + "x", "hub.challenge": "12345"}
    large = b" " * 5_000_000
    requests: dict[str, Any] = {
        "POST": lambda path: client.post(path, b"{}", content_type="application/json"),
        "signed by somebody": lambda path: client.post(
            path, b"{}", content_type="application/json", headers={"X-Hub-Signature-256": signature(b"{}", "guess")}
        ),
        "too large": lambda path: client.post(path, large, content_type="application/json"),
        "GET": lambda path: client.get(path),
        "handshake": lambda path: client.get(path, good),
        "too many fields": lambda path: client.get(f"{path}?" + "&".join(f"f{i}=1" for i in range(1_001))),
        "PUT": lambda path: client.put(path),
    }
    statuses = {}
    for label, ask in requests.items():
        answers = {name: seen(ask(path)) for name, path in urls.items()}
        assert answers == dict.fromkeys(urls, answers["unsigned"]), label
        statuses[label] = answers["unsigned"][0]
    assert statuses == {
        "POST": 403, "signed by somebody": 403, "too large": 413, "GET": 403, "handshake": 403,
        "too many fields": 400, "PUT": 405,
    }  # fmt: skip
    inactive_signed = post(client, inactive, whatsapp_body())
    assert seen(inactive_signed) == seen(client.post(urls["unknown"], b"{}", content_type="application/json"))
    assert client.post("/webhooks/nothing", b"{}", content_type="application/json").json()["code"] == "NOT_FOUND"


def seen(answer: Any) -> tuple[int, bytes, dict[str, str]]:
    """Return all that whoever asks is told."""
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
    return answer.status_code, answer.content, headers


def test_the_log_tells_the_operator_what_was_wrong(client: Client, bot: Any, caplog: pytest.LogCaptureFixture) -> None:
    client.post("/webhooks/whatsapp/nobody/", b"{}", content_type="application/json")
    client.post(url(bot), b"{}", content_type="application/json")
    client.get(url(bot))
    lines = [record.__dict__ for record in caplog.records if record.message == "request_refused"]
    assert [(line["reason"], line.get("bot")) for line in lines] == [
        ("no_active_bot", None),
        ("signature", bot.slug),
        ("verify_token_or_challenge", bot.slug),
    ]


def test_an_unknown_bot_costs_the_same_work_as_a_refused_signature(
    client: Client, bot: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    from bot import directory

    digests: list[int] = []
    real = hmac.digest

    def digest(key: bytes, body: bytes, name: Any) -> bytes:
        digests.append(len(body))
        return real(key, body, name)

    monkeypatch.setattr(hmac, "digest", digest)
    monkeypatch.setattr(directory, "MISSED_SECONDS", -1.0)  # (each is the first after a while)
    body = b" " * 1_000
    for path in (url(bot), "/webhooks/whatsapp/nobody/"):
        headers = {"X-Hub-Signature-256": "sha256=0"}
        client.post(path, body, content_type="application/json", headers=headers)
        with django_assert_num_queries(2):
            client.post(path, body, content_type="application/json", headers=headers)
    assert digests == [1_000] * 4


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


@pytest.mark.parametrize("challenge", ["<script>alert(1)</script>", "1" * 257, "a\r\nb", "é", "1 2", "a\x00", ""])
def test_only_what_could_be_metas_challenge_is_sent_back(client: Client, bot: Any, challenge: str) -> None:
    asked = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": challenge}
    answer = client.get(url(bot), asked)
    assert answer.status_code == 403
    assert not challenge or challenge.encode() not in answer.content


def test_no_answer_for_a_machine_is_a_page_to_a_browser(client: Client, bot: Any) -> None:
    good = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1" * 256}
    answers = [
        client.get(url(bot), good), post(client, bot, whatsapp_body()), client.post(url(bot)), client.put(url(bot)),
        client.get("/webhooks/"), client.get("/healthz"), client.get("/readyz"), client.get("/metrics"),
        client.get("/metrics", REMOTE_ADDR="203.0.113.9"), client.post("/healthz"),
    ]  # fmt: skip
    for answer in answers:
        assert answer["X-Content-Type-Options"] == "nosniff", answer.request
        assert answer["Content-Security-Policy"] == "default-src 'none'", answer.request
        assert not answer["Content-Type"].startswith("text/html")
    assert answers[0].content == b"1" * 256 and answers[0]["Content-Type"].startswith("text/plain")


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

"""What a provider is answered, and what is stored before it is: at the front, and by Django's view."""

import hmac
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from django.db import OperationalError

from bot.front import deliveries
from bot.models import InboundMessage
from bot.queue import accept, snapshot
from bot.tests.support.entrances import ENTRANCES, Entrance, entrance
from bot.tests.support.factories import (
    ALICE,
    VERIFY_TOKEN,
    BotFactory,
    WhatsAppBotFactory,
    signature,
    whatsapp_body,
    whatsapp_message,
    whatsapp_value,
)
from bot.tests.support.posting import post, url
from bot.tests.support.wsgi import Answer
from bot.webhooks import REFUSED

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db,
    pytest.mark.promise("too large"),
]


@pytest.fixture
def bot() -> Any:
    return WhatsAppBotFactory.create(slug="shop")


@pytest.fixture(params=ENTRANCES)
def door(request: pytest.FixtureRequest, db: None) -> Iterator[Entrance]:
    with entrance(request.param) as opened:
        yield opened


def test_a_signed_message_is_stored_and_answered_with_200(door: Entrance, bot: Any) -> None:
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message("Hi there")]))

    answer = post(door, bot, body)

    assert (answer.status, answer.json()) == (200, {"status": "ok"})
    message = InboundMessage.objects.get()
    assert (message.bot_id, message.external_id, message.address, message.kind) == (bot.pk, "wamid.1", ALICE, "text")
    assert (message.payload, message.state, message.attempts) == ({"text": "Hi there"}, "pending", 0)
    assert message.sent_at is not None
    assert message.available_at == message.received_at


@pytest.mark.parametrize("signed", ["", "sha256=", "sha256=00", "sha1=abc", "sha256=é"])
def test_a_wrong_or_missing_signature_gets_403_and_no_row(door: Entrance, bot: Any, signed: str) -> None:
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message()]))

    answer = post(door, bot, body, signed)

    assert answer.status == 403
    assert answer.json() == {"status": "error", "code": "UNAUTHORIZED", "detail": REFUSED}
    assert not InboundMessage.objects.exists()


def test_a_bot_without_a_secret_refuses_everything(door: Entrance) -> None:
    bot = WhatsAppBotFactory.create(credentials={})
    body = whatsapp_body(whatsapp_value(messages=[whatsapp_message()]))

    assert post(door, bot, body, signature(body, "")).status == 403
    assert not InboundMessage.objects.exists()


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"object": NaN}', b"\xff", b"[" * 50_000, b'{"a": ' + b"9" * 5_000 + b"}"]
)
def test_a_signed_body_that_is_not_the_channels_gets_400(door: Entrance, bot: Any, body: bytes) -> None:
    answer = post(door, bot, body)

    assert answer.status == 400
    assert answer.json()["code"] == "INVALID_INPUT"
    assert answer.json()["detail"]


def test_nobody_learns_which_bots_exist(door: Entrance, bot: Any) -> None:
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
    requests: dict[str, Callable[[str], Answer]] = {
        "POST": lambda path: door.ask("POST", path, b"{}"),
        "signed by somebody": lambda path: door.post(path, b"{}", signature(b"{}", "guess")),
        "too large": lambda path: door.ask("POST", path, large),
        "GET": lambda path: door.get(path),
        "handshake": lambda path: door.get(path, urlencode(good)),
        "too many fields": lambda path: door.get(path, "&".join(f"f{i}=1" for i in range(1_001))),
        "PUT": lambda path: door.ask("PUT", path),
    }
    statuses = {}
    for label, ask in requests.items():
        answers = {name: seen(ask(path)) for name, path in urls.items()}
        assert answers == dict.fromkeys(urls, answers["unsigned"]), label
        statuses[label] = answers["unsigned"][0]
    assert statuses.pop("too many fields") in (400, 403)
    assert statuses == {
        "POST": 403, "signed by somebody": 403, "too large": 413, "GET": 403, "handshake": 403, "PUT": 405,
    }  # fmt: skip
    inactive_signed = post(door, inactive, whatsapp_body())
    assert seen(inactive_signed) == seen(door.ask("POST", urls["unknown"], b"{}"))
    for path in (
        "nothing",
        "",
        "/",
        "whatsapp//",
        "whatsapp/",
        "whatsapp",
        "whatsapp/shop/x",
        "whatsapp/shop/x/",
        "whatsapp/shop//",
    ):
        answer = door.ask("POST", f"/webhooks/{path}", b"{}")
        assert (answer.status, answer.json()["code"]) == (404, "NOT_FOUND"), path


def seen(answer: Answer) -> tuple[int, str, dict[str, str]]:
    """Return all that whoever asks is told."""
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status, answer.text, headers


def test_the_log_tells_the_operator_what_was_wrong(door: Entrance, bot: Any, caplog: pytest.LogCaptureFixture) -> None:
    door.ask("POST", "/webhooks/whatsapp/nobody/", b"{}")
    door.ask("POST", url(bot), b"{}")
    door.get(url(bot))
    lines = [record.__dict__ for record in caplog.records if record.message == "request_refused"]
    assert [(line["reason"], line.get("bot")) for line in lines] == [
        ("no_active_bot", None),
        ("signature", bot.slug),
        ("verify_token_or_challenge", bot.slug),
    ]


def test_an_unknown_bot_costs_the_same_work_as_a_refused_signature(
    door: Entrance, bot: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    digests: list[int] = []
    real = hmac.digest

    def digest(key: bytes, body: bytes, name: Any) -> bytes:
        digests.append(len(body))
        return real(key, body, name)

    monkeypatch.setattr(hmac, "digest", digest)
    for module in (snapshot, deliveries):
        monkeypatch.setattr(module, "MISSED_SECONDS", -1.0)  # (each is the first after a while)
    body, costs = b" " * 1_000, []
    for path in (url(bot), "/webhooks/whatsapp/nobody/"):
        door.post(path, body, "sha256=0")
        digests.clear()
        with django_assert_num_queries(2):
            door.post(path, body, "sha256=0")
        costs.append(list(digests))
    # (Twice: what is refused may be signed with a newer secret than the one that is known.)
    assert costs == [[1_000] * 2] * 2


def test_a_body_over_the_cap_gets_413_and_a_large_one_within_it_is_taken(
    door: Entrance, bot: Any, settings: Any
) -> None:
    text = "x" * 3_000_000
    large = whatsapp_body(whatsapp_value(messages=[whatsapp_message(unknown=text)]))

    assert post(door, bot, large).status == 200
    assert InboundMessage.objects.count() == 1
    too_large = large + b" " * (settings.WEBHOOK_MAX_BYTES - len(large) + 1)
    answer = post(door, bot, too_large)

    assert answer.status == 413
    assert answer.json()["detail"] == "the body is larger than 4000000 bytes"


def test_the_handshake_returns_the_challenge_to_who_knows_the_token(door: Entrance, bot: Any) -> None:
    good = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "12345"}

    assert door.get(url(bot), urlencode(good)).text == "12345"
    assert door.get(url(bot), urlencode({**good, "hub.verify_token": "wrong"})).status == 403
    assert door.get(url(bot)).status == 403


@pytest.mark.parametrize("challenge", ["<script>alert(1)</script>", "1" * 257, "a\r\nb", "é", "1 2", "a\x00", ""])
def test_only_what_could_be_metas_challenge_is_sent_back(door: Entrance, bot: Any, challenge: str) -> None:
    asked = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": challenge}
    answer = door.get(url(bot), urlencode(asked))
    assert answer.status == 403
    assert not challenge or challenge not in answer.text


def test_no_answer_for_a_machine_is_a_page_to_a_browser(door: Entrance, bot: Any) -> None:
    good = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "1" * 256}
    answers = [
        door.get(url(bot), urlencode(good)), post(door, bot, whatsapp_body()), door.ask("POST", url(bot)),
        door.ask("PUT", url(bot)), door.get("/webhooks/"), door.get("/healthz"), door.get("/readyz"),
        door.get("/metrics"), door.ask("POST", "/healthz"),
    ]  # fmt: skip
    for position, answer in enumerate(answers):
        assert answer.headers["x-content-type-options"] == "nosniff", position
        assert answer.headers["content-security-policy"] == "default-src 'none'", position
        assert not answer.headers["content-type"].startswith("text/html")
    assert answers[0].text == "1" * 256 and answers[0].headers["content-type"].startswith("text/plain")


def test_other_methods_get_405(door: Entrance, bot: Any) -> None:
    assert door.ask("PUT", url(bot)).status == 405


def test_a_console_bot_has_no_webhook(door: Entrance) -> None:
    assert door.ask("POST", url(BotFactory.create()), b"{}").status == 403


def test_a_database_that_cannot_store_gets_503_and_nothing_is_half_written(door: Entrance, bot: Any) -> None:
    body = whatsapp_body(
        whatsapp_value(
            messages=[whatsapp_message()], statuses=[{"id": "wamid.out", "status": "sent", "recipient_id": "1"}]
        )
    )
    with patch.object(accept, "_apply", side_effect=OperationalError("the disk is full at host db.internal")):
        answer = post(door, bot, body)

    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert "db.internal" not in answer.text
    assert not InboundMessage.objects.exists()

"""What WhatsApp delivers over HTTP, and what a worker then asks the model and sends."""

import logging
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.test import Client

from bot.channels.connection import Account
from bot.channels.sending import OutboundText
from bot.channels.whatsapp import WhatsAppChannel
from bot.models import Counter, InboundMessage, OutboundMessage
from bot.monitoring.metrics import flush
from bot.tests.support.factories import (
    ALICE,
    WhatsAppBotFactory,
    signature,
    whatsapp_body,
    whatsapp_message,
    whatsapp_value,
)
from bot.tests.support.fakes import ScriptedModel, states, work_until
from users.models import User

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("turns_db")]

ONLY_TEXT = "I can read text only so far. Please write to me instead."
AGAIN = "Your message did not get through to me. Please send it again."
Deliver = Callable[..., None]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let WhatsApp take every text, and return them."""
    texts: list[str] = []

    async def send(self: Any, client: Any, account: Account, message: OutboundText) -> str:
        texts.append(message.text)
        return f"wamid.OURS{len(texts)}"

    async def show_typing(self: Any, client: Any, account: Account, external_id: str) -> None:
        return None

    monkeypatch.setattr(WhatsAppChannel, "send", send)
    monkeypatch.setattr(WhatsAppChannel, "show_typing", show_typing)
    return texts


@pytest.fixture
def deliver(alice: User, sent: list[str], client: Client, model: ScriptedModel, settings: Any) -> Deliver:
    """Post messages of Alice's in one delivery, and let a worker answer them."""
    settings.REDIS_URL = None
    WhatsAppBotFactory.create(slug="shop")
    numbers = count()

    def deliver(*messages: dict[str, Any], **lists: Any) -> None:
        items = [{**whatsapp_message(), "id": f"wamid.{next(numbers)}", **one} for one in messages]
        content: dict[str, Any] = {"messages": items} if items else {}
        body = whatsapp_body(whatsapp_value(**content, **lists))
        headers = {"X-Hub-Signature-256": signature(body)}
        answer = client.post("/webhooks/whatsapp/shop/", body, content_type="application/json", headers=headers)
        assert answer.status_code == 200
        work_until(model=model)

    return deliver


def asked(model: ScriptedModel) -> str:
    return model.history[-1].messages[-1].content


PICTURE = {"type": "image", "image": {"id": "1", "mime_type": "image/jpeg"}}
CAPTIONED = {"type": "image", "image": {**PICTURE["image"], "caption": "What is wrong with it?"}}  # type: ignore[dict-item]
DOCUMENT = {"type": "document", "document": {"id": "1", "caption": "Is this right?", "filename": "bill.pdf"}}
PLACE = {"type": "location", "location": {"latitude": 52.5, "longitude": 13.4, "name": "Shop"}}
FORM = {"type": "nfm_reply", "nfm_reply": {"body": "Sent", "response_json": '{"flow_token": "t-1", "stars": "2"}'}}
ITEM = {"product_retailer_id": "rose", "quantity": 3, "item_price": 2, "currency": "EUR"}
REFERRAL = {"source_type": "ad", "headline": "Roses", "body": "Half price", "source_url": "https://fb.me/1"}


@pytest.mark.parametrize(
    ("fields", "prompt"),
    [
        ({}, "Hello"),
        (CAPTIONED, "What is wrong with it?\n[picture]"),
        (DOCUMENT, "Is this right?\n[document: bill.pdf]"),
        (PLACE, "[place: Shop; 52.5, 13.4]"),
        ({"type": "contacts", "contacts": [{"name": {"formatted_name": "Bob"}}]}, "[contacts: Bob]"),
        ({"type": "order", "order": {"text": "By Friday?", "product_items": [ITEM]}},
         "By Friday?\n[order: 3 × rose at 2 EUR]"),
        ({"type": "order", "order": {"product_items": [ITEM]}}, "[order: 3 × rose at 2 EUR]"),
        ({"type": "interactive", "interactive": FORM}, "[form: stars: 2]"),
        ({"referral": REFERRAL}, "Hello\n[came from an ad: Roses; Half price; https://fb.me/1]"),
        ({"context": {"id": "wamid.LONG-AGO", "from": "4930"}}, "[answers an earlier message]\nHello"),
    ],
)  # fmt: skip
def test_what_can_be_read_is_answered_like_a_text(
    deliver: Deliver, model: ScriptedModel, sent: list[str], fields: dict[str, Any], prompt: str
) -> None:
    deliver(fields)
    assert asked(model) == prompt
    assert sent == [f"Echo: {prompt}"]


def test_a_quoted_reply_is_shown_with_its_words_in_its_own_chat_only(deliver: Deliver, model: ScriptedModel) -> None:
    model.enqueue("We have red\nand white [cheap] roses.", "Good.", "Good.")
    deliver({"text": {"body": "What do you have?"}})
    quote = {"text": {"body": "The second"}, "context": {"id": "wamid.OURS1"}}
    deliver(quote)
    assert asked(model) == "[answers your earlier message: We have red and white (cheap) roses.]\nThe second"

    OutboundMessage.objects.filter(external_id="wamid.OURS1").update(address="+4915100000000")
    deliver({**quote})
    assert asked(model) == "[answers an earlier message]\nThe second"


def test_what_they_quote_of_their_own_is_told_as_theirs(deliver: Deliver, model: ScriptedModel) -> None:
    deliver(
        {"id": "wamid.A", "text": {"body": "Monday?"}}, {"context": {"id": "wamid.A"}, "text": {"body": "Or later"}}
    )
    assert asked(model) == "Monday?\n[answers their own earlier message: Monday?]\nOr later"


def test_a_command_is_one_in_a_caption_and_in_answer_to_an_earlier_message(deliver: Deliver, sent: list[str]) -> None:
    deliver({"text": {"body": "/help"}, "context": {"id": "wamid.OLD"}})
    deliver({"type": "image", "image": {"id": "1", "caption": "/help"}})
    assert len(sent) == 2 and all("/reset" in text for text in sent)


@pytest.mark.parametrize(
    ("fields", "sentence", "code"),
    [
        (PICTURE, ONLY_TEXT, "UNSUPPORTED_MESSAGE"),
        ({"type": "audio", "audio": {"id": "1", "voice": True}}, ONLY_TEXT, "UNSUPPORTED_MESSAGE"),
        ({**PICTURE, "context": {"id": "wamid.OLD"}}, ONLY_TEXT, "UNSUPPORTED_MESSAGE"),
        ({**PICTURE, "referral": REFERRAL}, ONLY_TEXT, "UNSUPPORTED_MESSAGE"),
        ({"type": "unsupported", "errors": [{"code": 131051}]}, ONLY_TEXT, "UNSUPPORTED_MESSAGE"),
        ({"type": "unsupported", "errors": [{"code": 131060}], "unsupported": {"type": "unknown"}}, AGAIN,
         "MESSAGE_UNAVAILABLE"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_gets_one_sentence_and_no_model(
    deliver: Deliver, model: ScriptedModel, sent: list[str], fields: dict[str, Any], sentence: str, code: str
) -> None:
    deliver(fields)
    assert not model.history
    assert (sent, states()) == ([sentence], [("done", code)])


def test_an_edit_beside_a_text_is_not_told_and_alone_not_answered(
    deliver: Deliver, model: ScriptedModel, sent: list[str]
) -> None:
    edit = {"type": "unsupported", "unsupported": {"type": "edit"}, "errors": [{"code": 131051}]}
    deliver(edit)
    assert sent == []
    deliver({"text": {"body": "Open on Sunday?"}}, edit, PLACE)
    assert asked(model) == "Open on Sunday?\n[place: Shop; 52.5, 13.4]"
    assert not InboundMessage.objects.filter(kind="unsupported").exists()


def test_a_reply_without_content_is_put_aside_and_gets_a_sentence(deliver: Deliver, sent: list[str]) -> None:
    deliver({"type": "interactive"})
    assert sent == [ONLY_TEXT]
    assert sorted(states()) == [("done", "UNSUPPORTED_MESSAGE"), ("quarantined", "INVALID_INPUT")]


def test_somebody_who_is_named_by_an_id_where_a_number_is_expected_is_heard(deliver: Deliver) -> None:
    deliver({"from": "US.1349120865"}, contacts=[{"user_id": "US.1349120865", "profile": {"name": "Pat"}}])
    assert InboundMessage.objects.get().address == "US.1349120865"
    assert states() == [("done", "UNAUTHORIZED")], "it is a stranger's"


def test_metas_own_errors_are_logged_without_their_text_and_counted(
    deliver: Deliver, sent: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        deliver(errors=[{"code": 130429, "title": "Rate limit hit", "message": f"too many of {ALICE}"}])
    (told,) = [vars(record) for record in caplog.records if record.message == "provider_error_reported"]
    assert (told["bot"], told["error_code"]) == ("shop", "130429")
    assert "too many" not in caplog.text
    flush()
    assert Counter.objects.get(name="provider_errors").value == 1
    assert not InboundMessage.objects.exists()

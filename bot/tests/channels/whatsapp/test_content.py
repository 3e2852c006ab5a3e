"""What the model is told of a WhatsApp message besides its text: each kind in words, and who it is from."""

import json
from typing import Any

import pytest

from bot.channels.events import InboundEvent, RejectedItem, ReportedError
from bot.tests.channels.whatsapp.bodies import (
    BSUID,
    MEDIA,
    change,
    form,
    interactive,
    message,
    parse,
    parse_message,
    words,
)


def unsupported(kind: str, code: int = 131051) -> dict[str, Any]:
    return {"type": "unsupported", "unsupported": {"type": kind}, "errors": [{"code": code}]}


PLACE = {"latitude": 52.5, "longitude": 13.4}
CARD = {"name": {"formatted_name": "Bob Smith"}, "phones": [{"phone": "+49 30 123", "wa_id": "4930123"}]}
ITEMS = [{"product_retailer_id": "rose", "quantity": 3, "item_price": 2.5, "currency": "EUR"}]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (form({"flow_token": "t", "stars": "2", "late": True, "body": "x"}, body="Sent"),
         ("text", "[form: stars: 2; late: yes; body: x]", "")),
        (form({"flow_token": "t", "stars": 2}), ("text", "[form: stars: 2]", "")),
        (form({"days": ["Mon", "Tue"], "home": {"street": "Main"}, "rooms": [{"size": 1}, {"size": 2}]}),
         ("text", "[form: days: Mon, Tue; home.street: Main; rooms.size: 1; rooms.size: 2]", "")),
        (form({"flow_token": "t"}, body="Sent"), ("text", "Sent", "")),
        (form("no JSON", body="Sent"), ("text", "Sent", "")),
        (interactive("nfm_reply", response_json={"a": "b"}), ("text", "[form: a: b]", "")),
        (form(json.dumps(json.dumps({"a": "b"})), body="Sent"), ("text", "[form: a: b]", "")),
        (interactive("button_reply", id="yes", title=""), ("text", "yes", "")),
        (interactive("list_reply", id="yes", title=[]), ("text", "yes", "")),
        ({"type": "contacts", "contacts": [{"name": {"formatted_name": "Bob"}, "org": {"company": "Acme"},
          "emails": [{"email": "bob@acme.example"}]}]}, ("contacts", "", "[contacts: Bob, Acme, bob@acme.example]")),
        # (Relays write every field.)
        ({"type": "text", "text": {"body": "Hi"}, "group_id": None, "context": None, "referral": None, "errors": None},
         ("text", "Hi", "")),
        ({"type": "location", "location": PLACE}, ("location", "", "[place: 52.5, 13.4]")),
        ({"type": "location", "location": {**PLACE, "name": "Shop", "address": "Main\nStreet 1"}},
         ("location", "", "[place: Shop; Main Street 1; 52.5, 13.4]")),
        ({"type": "location", "location": None}, ("location", "", "")),
        ({"type": "contacts", "contacts": [CARD, {"name": {"first_name": "Eve"}}]},
         ("contacts", "", "[contacts: Bob Smith, +49 30 123; Eve]")),
        ({"type": "contacts", "contacts": [{"phones": [{"wa_id": "4930"}]}]}, ("contacts", "", "[contacts: 4930]")),
        ({"type": "order", "order": {"text": "By Friday?", "product_items": ITEMS}},
         ("order", "By Friday?", "[order: 3 × rose at 2.5 EUR]")),
        ({"type": "order", "order": {"product_items": [*ITEMS, {}, 7, {"product_retailer_id": "lily"}]}},
         ("order", "", "[order: 3 × rose at 2.5 EUR; lily]")),
        (interactive("list_reply", id="mon", title="Monday", description="9 to 5"),
         ("text", "Monday", "[description: 9 to 5]\n[list id: mon]")),
        (interactive("button_reply", id="yes", title="Yes, please"), ("text", "Yes, please", "[button id: yes]")),
        (interactive("button_reply", id="Stop", title="Stop"), ("text", "Stop", "")),
        (interactive("button_reply", id="yes"), ("text", "yes", "")),
        ({"type": "button", "button": {"payload": "order-7", "text": "Cancel"}},
         ("text", "Cancel", "[button payload: order-7]")),
        ({"type": "image", "image": {**MEDIA, "caption": "What is it?"}}, ("image", "What is it?", "[picture]")),
        ({"type": "document", "document": {**MEDIA, "filename": "bill [1].pdf"}},
         ("document", "", "[document: bill (1).pdf]")),
        ({"type": "audio", "audio": {**MEDIA, "voice": True}}, ("audio", "", "[voice message]")),
        (unsupported("poll_creation"), ("unsupported", "", "[unsupported: poll creation]")),
        (unsupported("unknown", 131060), ("unavailable", "", "[a message that WhatsApp could not hand over]")),
        ({"type": "unknown", "errors": [{"code": "131060"}]},
         ("unavailable", "", "[a message that WhatsApp could not hand over]")),
    ],
)  # fmt: skip
def test_what_a_message_holds_is_put_into_words(fields: dict[str, Any], expected: tuple[str, str, str]) -> None:
    assert words(**fields) == expected


@pytest.mark.parametrize("kind", ["edit", "pin", "reaction", "keep_in_chat", "poll_update"])
def test_what_is_done_to_a_message_needs_no_answer(kind: str) -> None:
    assert parse_message(**unsupported(kind)) is None


REFERRAL = {"source_type": "ad", "source_url": "https://fb.me/1", "headline": "Roses", "body": "Half price", "x": 1}


@pytest.mark.parametrize(
    ("fields", "note", "quotes"),
    [
        ({"context": {"from": "4930", "id": "wamid.OURS"}}, "", "wamid.OURS"),
        ({"context": {"id": 7}}, "", ""),
        ({"context": "wamid.OURS", "referral": "ad"}, "", ""),
        ({"context": {"forwarded": True}}, "[forwarded]", ""),
        ({"context": {"id": "wamid.O", "referred_product": {"catalog_id": "1", "product_retailer_id": "rose"}}},
         "[asks about the product: rose]", "wamid.O"),
        ({"referral": REFERRAL}, "[came from an ad: Roses; Half price; https://fb.me/1]", ""),
        ({"referral": {"source_type": "post"}}, "[came from a post]", ""),
    ],
)  # fmt: skip
def test_what_a_text_belongs_to_is_told_beside_it(fields: dict[str, Any], note: str, quotes: str) -> None:
    event = parse_message(**fields)
    assert isinstance(event, InboundEvent)
    assert (event.text, event.note, event.quotes) == ("Hello", note, quotes)


def test_a_caption_keeps_what_it_belongs_to() -> None:
    fields = {"type": "video", "video": {**MEDIA, "caption": "This one"}, "referral": {"headline": "Roses"}}
    assert words(**fields) == ("video", "This one", "[video]\n[came from an ad: Roses]")


CONTACT = {"profile": {"name": "Alice"}, "user_id": BSUID}


@pytest.mark.parametrize(
    ("sender", "contact", "address", "other"),
    [
        ({"from": BSUID}, CONTACT, BSUID, ""),
        ({"from": BSUID, "from_user_id": BSUID}, CONTACT, BSUID, ""),
        ({"from": None}, CONTACT, BSUID, ""),
        ({"from": ""}, {"profile": {"name": "Alice"}, "wa_id": BSUID}, BSUID, ""),
        ({"from": None}, {**CONTACT, "wa_id": "4915123456789"}, "+4915123456789", BSUID),
    ],
)
def test_a_sender_is_found_wherever_the_message_names_one(
    sender: dict[str, Any], contact: dict[str, Any], address: str, other: str
) -> None:
    (event,) = parse(change(contacts=[contact], messages=[message(**sender)]))
    assert isinstance(event, InboundEvent)
    assert (event.address, event.other_address, event.profile_name) == (address, other, "Alice")


@pytest.mark.parametrize(
    ("contacts", "messages"),
    [
        ([CONTACT, CONTACT], [message(**{"from": None})]),
        ([CONTACT], [message(**{"from": None}), message(id="wamid.2", **{"from": None})]),
        ([CONTACT], [message(**{"from": "49151CALLME"})]),
        ([None], [message(**{"from": None})]),
        ([{"user_id": "DE.<b>"}], [message(**{"from": None})]),
    ],
)
def test_a_sender_is_never_guessed(contacts: list[Any], messages: list[Any]) -> None:
    events = parse(change(contacts=contacts, messages=messages))
    assert [type(event) for event in events] == [RejectedItem] * len(messages)


@pytest.mark.parametrize(
    "odd", [{"interactive": None}, {"interactive": {}}, {"interactive": {"type": "nfm_reply"}},
            {"interactive": {"type": "button_reply", "button_reply": {}}}]
)  # fmt: skip
def test_a_reply_without_content_is_put_aside_and_its_sender_is_answered(odd: dict[str, Any]) -> None:
    rejected, event = parse(change(messages=[message(type="interactive", **odd)]))
    assert isinstance(rejected, RejectedItem) and isinstance(event, InboundEvent)
    assert (event.kind, event.address) == ("unsupported", "+4915123456789")
    assert event.external_id not in ("", rejected.external_id), "a good copy of it is none of a redelivery"


def test_a_text_that_could_not_be_handed_over_is_asked_for_again() -> None:
    _, event = parse(change(messages=[message(text=None, errors=[{"code": 131060}])]))
    assert isinstance(event, InboundEvent)
    assert event.kind == "unavailable"


def test_metas_own_errors_are_told_by_their_codes() -> None:
    errors = [{"code": 130429, "title": "secret"}, {"code": 130429}, None, {"code": "131000"}]
    events = parse(change(errors=errors), change(errors=[], messages=[message()]), change(errors="x"))
    told, told_too, read = events
    assert (told, told_too) == (ReportedError("130429", "100000000000001"), ReportedError("131000", "100000000000001"))
    assert isinstance(read, InboundEvent)
    assert len(parse(change(errors=[{"code": code} for code in range(1_000)]))) == 10

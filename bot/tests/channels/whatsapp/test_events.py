"""WhatsApp webhooks: who may deliver, and what is read from a delivery, however odd it is."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.channels.base import Account, Event, InboundEvent, InvalidBody, RejectedItem, StatusEvent
from bot.channels.echo import sign_id
from bot.channels.whatsapp import WhatsAppChannel
from bot.channels.whatsapp.events import MOST_EVENTS

pytestmark = pytest.mark.promise("batch")

CHANNEL = WhatsAppChannel()
SECRETS = {"app_secret": "app-secret", "access_token": "access-token", "verify_token": "verify-token"}
KEYS = (b"our key", b"our former key")
ACCOUNT = Account(bot="support", account_id="100000000000001", credentials=SECRETS, echo_keys=KEYS)
SENT_AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
BSUID = "DE.4815162342"


def message(**changes: Any) -> dict[str, Any]:
    """Return a text message of Alice's; None removes a field."""
    ordinary = {
        "from": "4915123456789",
        "id": "wamid.ALICE1",
        "timestamp": str(int(SENT_AT.timestamp())),
        "type": "text",
        "text": {"body": "Hello"},
    }
    return {key: value for key, value in {**ordinary, **changes}.items() if value is not None}


def status(**changes: Any) -> dict[str, Any]:
    ordinary = {"id": "wamid.OURS1", "status": "sent", "timestamp": "1795161600", "recipient_id": "4915123456789"}
    return {key: value for key, value in {**ordinary, **changes}.items() if value is not None}


def change(number: str = "100000000000001", field: str = "messages", **value: Any) -> dict[str, Any]:
    metadata = {"display_phone_number": "4930123456", "phone_number_id": number}
    return {"field": field, "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}


def body(*changes: dict[str, Any]) -> bytes:
    entries = [{"id": "200000000000002", "changes": list(changes)}]
    return json.dumps({"object": "whatsapp_business_account", "entry": entries}).encode()


def parse(*changes: dict[str, Any]) -> list[Event]:
    return CHANNEL.parse(ACCOUNT, body(*changes))


def parse_message(**changes: Any) -> Event | None:
    events = parse(change(messages=[message(**changes)]))
    return events[0] if events else None


# --- messages ---


def test_a_text_message_is_read_completely() -> None:
    contacts = [
        {"profile": {"name": "Bob"}, "wa_id": "4915100000000"},
        {"profile": {"name": " Alice\n\x00 A. "}, "wa_id": "4915123456789", "user_id": BSUID},
    ]
    assert parse(change(contacts=contacts, messages=[message(from_user_id=BSUID)])) == [
        InboundEvent(
            external_id="wamid.ALICE1",
            address="+4915123456789",
            kind="text",
            text="Hello",
            sent_at=SENT_AT,
            account_id="100000000000001",
            other_address=BSUID,
            profile_name="Alice A.",
        )
    ]


def test_a_person_without_a_number_is_known_by_the_bsuid() -> None:
    contacts = [{"profile": {"name": "Alice", "username": "alice"}, "user_id": BSUID}]
    (event,) = parse(change(contacts=contacts, messages=[message(**{"from": None, "from_user_id": BSUID})]))
    assert isinstance(event, InboundEvent)
    assert (event.address, event.other_address, event.profile_name) == (BSUID, "", "Alice")


MEDIA = {"id": "300000000000003", "mime_type": "image/jpeg", "sha256": "abc"}
REPLY_BUTTON = {"type": "button_reply", "button_reply": {"id": "yes", "title": "Yes, please"}}
REPLY_LIST = {"type": "list_reply", "list_reply": {"id": "1", "title": "Monday", "description": "9 to 5"}}
REPLY_FLOW = {"type": "nfm_reply", "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "{}"}}


@pytest.mark.parametrize(
    ("label", "fields", "kind", "text"),
    [
        ("text", {"text": {"body": "Grüße 👋🏽\r\nAlice"}}, "text", "Grüße 👋🏽\nAlice"),
        ("a text with control characters", {"text": {"body": "a\x00b\ud800c"}}, "text", "abc"),
        ("a tapped button", {"type": "interactive", "interactive": REPLY_BUTTON}, "text", "Yes, please"),
        ("a chosen list row", {"type": "interactive", "interactive": REPLY_LIST}, "text", "Monday"),
        ("a filled form", {"type": "interactive", "interactive": REPLY_FLOW}, "text", "Sent"),
        ("a template's button", {"type": "button", "button": {"payload": "p", "text": "Stop"}}, "text", "Stop"),
        ("a captioned image", {"type": "image", "image": {**MEDIA, "caption": "Look"}}, "image", "Look"),
        ("a bare image", {"type": "image", "image": MEDIA}, "image", ""),
        ("a captioned video", {"type": "video", "video": {**MEDIA, "caption": "Look"}}, "video", "Look"),
        ("a document", {"type": "document", "document": {**MEDIA, "filename": "a.pdf"}}, "document", ""),
        ("a voice message", {"type": "audio", "audio": {**MEDIA, "voice": True}}, "audio", ""),
        ("a sticker", {"type": "sticker", "sticker": {**MEDIA, "animated": False}}, "sticker", ""),
        ("a location", {"type": "location", "location": {"latitude": 52.5, "longitude": 13.4}}, "location", ""),
        ("a contact card", {"type": "contacts", "contacts": [{"name": {"first_name": "Bob"}}]}, "contacts", ""),
        ("an order", {"type": "order", "order": {"catalog_id": "1", "text": "Quickly"}}, "order", "Quickly"),
        ("what the app cannot show", {"type": "unsupported", "errors": [{"code": 131051}]}, "unsupported", ""),
        ("the same by its older name", {"type": "unknown", "errors": [{"code": 131051}]}, "unsupported", ""),
    ],
)
def test_what_a_person_expects_an_answer_to_is_an_event(label: str, fields: dict, kind: str, text: str) -> None:
    event = parse_message(**fields)
    assert isinstance(event, InboundEvent), label
    assert (event.kind, event.text) == (kind, text), label


@pytest.mark.parametrize(
    ("label", "fields"),
    [
        ("a reaction", {"type": "reaction", "reaction": {"message_id": "wamid.OURS1", "emoji": "👍"}}),
        ("a changed security code", {"type": "system", "system": {"type": "customer_identity_changed"}}),
        ("a system note without sender", {"from": None, "type": "system", "system": {"user_id": BSUID}}),
        ("an edit", {"type": "edit", "edit": {"message_id": "wamid.ALICE0"}}),
        ("a deletion", {"type": "revoke", "revoke": {"original_message_id": "wamid.ALICE0"}}),
        ("an opened chat", {"type": "request_welcome"}),
        ("a kind yet to come", {"type": "hologram", "hologram": {}}),
        ("a kind yet to come with another error", {"type": "hologram", "errors": [{"code": 1}, None, 7]}),
        ("a reply of a kind yet to come", {"type": "interactive", "interactive": {"type": "call_permission_reply"}}),
        ("a group message", {"group_id": "Y2FwaV9ncm91cDox"}),
    ],
)
def test_what_needs_no_answer_is_left_out(label: str, fields: dict) -> None:
    assert parse_message(**fields) is None, label


@pytest.mark.parametrize("field", ["account_update", "calls", "message_template_status_update"])
def test_other_fields_than_messages_are_left_out(field: str) -> None:
    assert parse(change(field=field, messages=[message()]), {"field": field}) == []


# --- statuses ---


@pytest.mark.parametrize(
    ("label", "fields", "expected"),
    [
        ("sent", {}, StatusEvent("wamid.OURS1", "sent")),
        ("delivered", {"status": "delivered"}, StatusEvent("wamid.OURS1", "delivered")),
        ("read", {"status": "read"}, StatusEvent("wamid.OURS1", "read")),
        ("a played voice message was read", {"status": "played"}, StatusEvent("wamid.OURS1", "read")),
        ("our id", {"biz_opaque_callback_data": sign_id(KEYS, 42)}, StatusEvent("wamid.OURS1", "sent", 42)),
        ("signed before", {"biz_opaque_callback_data": sign_id(KEYS[1:], 42)}, StatusEvent("wamid.OURS1", "sent", 42)),
        ("an unsigned id", {"biz_opaque_callback_data": "42"}, StatusEvent("wamid.OURS1", "sent")),
        ("another's id", {"biz_opaque_callback_data": sign_id([b"b"], 42)}, StatusEvent("wamid.OURS1", "sent")),
        ("another's data", {"biz_opaque_callback_data": "campaign-7"}, StatusEvent("wamid.OURS1", "sent")),
        ("digits that are none", {"biz_opaque_callback_data": "٤٢"}, StatusEvent("wamid.OURS1", "sent")),
        ("too large for an id", {"biz_opaque_callback_data": "9" * 19}, StatusEvent("wamid.OURS1", "sent")),
        ("our id as a number", {"biz_opaque_callback_data": 42}, StatusEvent("wamid.OURS1", "sent")),
        (
            "failed with its reason",
            {"status": "failed", "errors": [{"code": 131047, "title": "Re-engagement message"}]},
            StatusEvent("wamid.OURS1", "failed", error_code="131047"),
        ),
        ("failed without", {"status": "failed", "errors": "none"}, StatusEvent("wamid.OURS1", "failed")),
        ("failed oddly", {"status": "failed", "errors": [{"code": [1]}]}, StatusEvent("wamid.OURS1", "failed")),
    ],
)
def test_a_status_is_read(label: str, fields: dict, expected: StatusEvent) -> None:
    (event,) = parse(change(statuses=[status(**fields)]))
    assert event == StatusEvent(
        expected.external_id, expected.status, expected.outbound_id, expected.error_code, "100000000000001"
    ), label


def test_a_status_that_is_new_to_us_is_left_out() -> None:
    assert parse(change(statuses=[status(status="deleted"), status(status="warning")])) == []


# --- batches and odd items ---


def test_every_update_of_a_delivery_counts_in_order_each_for_its_own_number() -> None:
    first = change(messages=[message(id="wamid.1"), message(id="wamid.2")], statuses=[status(id="wamid.3")])
    second = change(number="100000000000009", messages=[message(id="wamid.4")])
    content = {"object": "whatsapp_business_account", "entry": [{"changes": [first]}, {"changes": [second]}]}
    events = CHANNEL.parse(ACCOUNT, json.dumps(content).encode())
    read = [event for event in events if isinstance(event, InboundEvent | StatusEvent)]
    assert [(event.account_id, event.external_id) for event in read] == [
        ("100000000000001", "wamid.1"),
        ("100000000000001", "wamid.2"),
        ("100000000000001", "wamid.3"),
        ("100000000000009", "wamid.4"),
    ]


ODD_MESSAGES: list[tuple[str, Any, str]] = [
    ("no object", "hello", ""),
    ("null", None, ""),
    ("no id", message(id=None), ""),
    ("an id that is none", message(id=7), ""),
    ("an empty id", message(id=""), ""),
    ("an endless id", message(id="w" * 256), ""),
    ("an id with a line break", message(id="wamid\n1"), ""),
    ("an id with NUL", message(id="wamid\x001"), ""),
    ("no type", message(type=None), "wamid.ALICE1"),
    ("a type that is none", message(type=["text"]), "wamid.ALICE1"),
    ("no sender", message(**{"from": None}), "wamid.ALICE1"),
    ("a sender that is none", message(**{"from": {"phone": "49"}}), "wamid.ALICE1"),
    ("a sender with letters", message(**{"from": "49151CALLME"}), "wamid.ALICE1"),
    ("a sender in other digits", message(**{"from": "٤٩١٥١٢٣٤٥٦٧٨٩"}), "wamid.ALICE1"),
    ("an endless sender", message(**{"from": "4" * 16}), "wamid.ALICE1"),
    ("a BSUID that is none", message(**{"from": None, "from_user_id": "DE.<script>"}), "wamid.ALICE1"),
    ("no text", message(text=None), "wamid.ALICE1"),
    ("a text that is none", message(text="Hello"), "wamid.ALICE1"),
    ("a body that is none", message(text={"body": 7}), "wamid.ALICE1"),
    ("an empty text", message(text={"body": " \x00 "}), "wamid.ALICE1"),
    ("an image that is none", message(type="image", image=[]), "wamid.ALICE1"),
    ("a caption that is none", message(type="image", image={"caption": {}}), "wamid.ALICE1"),
    ("an interactive that is none", message(type="interactive", interactive={"type": {}}), "wamid.ALICE1"),
]


@pytest.mark.parametrize(("label", "odd", "external_id"), ODD_MESSAGES)
def test_a_malformed_message_is_rejected_and_the_others_count(label: str, odd: Any, external_id: str) -> None:
    before, rejected, *answered, after = parse(change(messages=[message(id="wamid.1"), odd, message(id="wamid.3")]))
    assert isinstance(before, InboundEvent), label
    assert isinstance(after, InboundEvent), label
    assert isinstance(rejected, RejectedItem), label
    assert rejected.external_id == external_id, label
    assert rejected.reason, label
    assert "Hello" not in rejected.reason, label
    # Who sent it is told that it cannot be read, if it is known who that is and which message it was.
    named = isinstance(odd, dict) and external_id and (odd.get("from") == "4915123456789")
    assert [(event.address, event.kind, event.text) for event in answered if isinstance(event, InboundEvent)] == (
        [("+4915123456789", "unsupported", "")] if named else []
    ), label


@pytest.mark.parametrize(
    ("label", "odd"),
    [
        ("no object", 7),
        ("no id", status(id=None)),
        ("an endless id", status(id="w" * 256)),
        ("no status", status(status=None)),
        ("a status that is none", status(status={})),
    ],
)
def test_a_malformed_status_is_rejected_and_the_others_count(label: str, odd: Any) -> None:
    kinds = [type(event) for event in parse(change(statuses=[status(), odd, status()]))]
    assert kinds == [StatusEvent, RejectedItem, StatusEvent], label


@pytest.mark.parametrize(
    ("label", "odd"),
    [
        ("a change that is none", "messages"),
        ("a value that is none", {"field": "messages", "value": []}),
        ("no metadata", {"field": "messages", "value": {"messages": [message()]}}),
        ("metadata that is none", {"field": "messages", "value": {"metadata": "1", "messages": [message()]}}),
        ("no number", {"field": "messages", "value": {"metadata": {}, "messages": [message()]}}),
        ("messages that are none", change(messages={"id": "wamid.9"})),
        ("statuses that are none", change(statuses="sent")),
    ],
)
def test_a_malformed_change_is_rejected_and_the_others_count(label: str, odd: Any) -> None:
    kinds = [type(event) for event in parse(change(messages=[message()]), odd, change(messages=[message()]))]
    assert kinds == [InboundEvent, RejectedItem, InboundEvent], label


@pytest.mark.parametrize(
    ("label", "contacts"),
    [
        ("none", None),
        ("no list", {"wa_id": "4915123456789"}),
        ("no objects", [None, 7, "Alice"]),
        ("no profile", [{"wa_id": "4915123456789"}, {"wa_id": "4915123456789", "profile": []}]),
        ("no name", [{"wa_id": "4915123456789", "profile": {"name": 7}}]),
        ("unhashable ids", [{"wa_id": [], "user_id": {}, "profile": {"name": "Alice"}}]),
    ],
)
def test_odd_contacts_cost_the_name_only(label: str, contacts: Any) -> None:
    (event,) = parse(change(contacts=contacts, messages=[message()]))
    assert isinstance(event, InboundEvent), label
    assert event.profile_name == "", label


@pytest.mark.parametrize(
    "timestamp", [None, "", "soon", "-1", "0", "9" * 5_000, 10**300, 1.5, True, [], "1795161600.5"]
)
def test_an_odd_timestamp_costs_the_moment_only(timestamp: Any) -> None:
    event = parse_message(timestamp=timestamp)
    assert isinstance(event, InboundEvent)
    assert event.sent_at is None


def test_a_name_and_a_text_are_bounded() -> None:
    contacts = [{"wa_id": "4915123456789", "profile": {"name": "A" * 10_000}}]
    (event,) = parse(change(contacts=contacts, messages=[message(text={"body": "x" * 1_000_000})]))
    assert isinstance(event, InboundEvent)
    assert (len(event.profile_name), len(event.text)) == (100, 65_536)


# --- bodies ---


@pytest.mark.parametrize(
    ("label", "content"),
    [
        ("nothing", b""),
        ("broken JSON", b'{"object": '),
        ("no UTF-8", b'{"object": "\xff\xfe"}'),
        ("NaN", b'{"object": "whatsapp_business_account", "entry": [], "extra": NaN}'),
        ("Infinity", b'{"object": "whatsapp_business_account", "entry": [], "extra": -Infinity}'),
        ("deep nesting", b"[" * 200_000),
        ("deep nesting of objects", b'{"a":' * 200_000),
        (
            "an integer of 5,000 digits",
            b'{"object": "whatsapp_business_account", "entry": [], "x": ' + b"9" * 5_000 + b"}",
        ),
        ("a list", b"[]"),
        ("a text", b'"whatsapp_business_account"'),
        ("another object", b'{"object": "page", "entry": []}'),
        ("no object", b'{"entry": []}'),
        ("no entries", b'{"object": "whatsapp_business_account"}'),
        ("entries that are none", b'{"object": "whatsapp_business_account", "entry": {}}'),
    ],
)
def test_a_body_that_is_not_whatsapps_is_invalid_and_says_why(label: str, content: bytes) -> None:
    with pytest.raises(InvalidBody, match="body"):
        CHANNEL.parse(ACCOUNT, content)


def test_escapes_that_no_database_holds_and_duplicate_keys_do_no_harm() -> None:
    content = body(change(messages=[message(text={"body": "TEXT"})])).replace(
        b'"TEXT"', rb'"a\u0000\ud800b", "body": "c\udfff"'
    )
    (event,) = CHANNEL.parse(ACCOUNT, content)
    assert isinstance(event, InboundEvent)
    assert event.text == "c"


def test_surrogates_in_raw_bytes_are_cleaned_too() -> None:
    content = body(change(messages=[message(text={"body": "TEXT"})])).replace(b"TEXT", b"a\xed\xa0\x80b")
    (event,) = CHANNEL.parse(ACCOUNT, content)
    assert isinstance(event, InboundEvent)
    assert event.text == "ab"


def test_far_more_items_than_whatsapp_sends_are_refused_before_each_is_a_row() -> None:
    with pytest.raises(InvalidBody, match="more than"):
        parse(change(messages=[7] * (MOST_EVENTS + 10)))


@pytest.mark.parametrize("odd", [None, 7, "x", [], {}, True, [[]], {"a": {}}])
def test_any_type_anywhere_is_survived(odd: Any) -> None:
    whole = message(type="interactive", interactive=REPLY_BUTTON, errors=[{"code": 1}], from_user_id=BSUID)
    parts = change(
        contacts=[{"wa_id": "1", "profile": {"name": "A"}}], messages=[whole], statuses=[status(errors=[{"code": 1}])]
    )
    for content in variants({"entry": [{"id": "1", "changes": [parts]}]}, odd):
        with contextlib.suppress(InvalidBody):
            CHANNEL.parse(ACCOUNT, json.dumps({"object": "whatsapp_business_account", **content}).encode())


def variants(content: Any, odd: Any) -> list[Any]:
    """Return copies of a JSON value, each with one of its nodes replaced by the odd one."""
    copies = []
    nodes = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    for key, node in nodes:
        for variant in [odd, *variants(node, odd)]:
            copy = dict(content) if isinstance(content, dict) else list(content)
            copy[key] = variant
            copies.append(copy)
    return copies

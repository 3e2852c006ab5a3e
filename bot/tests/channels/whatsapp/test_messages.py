"""One message of a person: who sent it, and what it says, however odd it is."""

from typing import Any

import pytest

from bot.channels.events import InboundEvent, RejectedItem
from bot.tests.channels.whatsapp.bodies import (
    BSUID,
    MEDIA,
    REPLY_BUTTON,
    REPLY_FLOW,
    REPLY_LIST,
    SENT_AT,
    change,
    message,
    parse,
    parse_message,
)

pytestmark = pytest.mark.promise("batch")


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


def test_a_name_and_a_text_are_bounded() -> None:
    contacts = [{"wa_id": "4915123456789", "profile": {"name": "A" * 10_000}}]
    (event,) = parse(change(contacts=contacts, messages=[message(text={"body": "x" * 1_000_000})]))
    assert isinstance(event, InboundEvent)
    assert (len(event.profile_name), len(event.text)) == (100, 65_536)
